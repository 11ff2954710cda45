// SPDX-License-Identifier: GPL-2.0

//! A misc device that can be updated, and does what that of bench_swap.c does.

use kernel::fs::File;
use kernel::ioctl::_IO;
use kernel::miscdevice::MiscDeviceOptions;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::delay::fsleep;
use kernel::time::Delta;
use molt::front::misc::{Argument, Kept, MiscDevice, MiscDeviceRegistration};
use molt::State;

/// The call that takes 20 ms.
const SLOW: u32 = _IO('B' as u32, 1);

#[derive(State)]
pub(crate) struct Device {
    calls: Atomic<u64>,
}

pub(crate) fn start(
    _module: &'static ThisModule,
) -> Result<Pin<KBox<MiscDeviceRegistration<Device, Kept>>>> {
    let options = MiscDeviceOptions {
        name: c"bench_device",
    };
    KBox::try_pin_init(MiscDeviceRegistration::register(options), GFP_KERNEL)
}

#[vtable]
impl MiscDevice for Device {
    type Ptr = KBox<Self>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        let device = Self {
            calls: Atomic::new(0),
        };
        Ok(KBox::new(device, GFP_KERNEL)?)
    }

    fn ioctl(device: &Self, _file: &File, cmd: u32, _argument: &Argument) -> Result<isize> {
        device.calls.fetch_add(1, Relaxed);
        if cmd == SLOW {
            fsleep(Delta::from_millis(20));
        }
        Ok(0)
    }
}
