// SPDX-License-Identifier: GPL-2.0

//! A device that blocks: what is written to an open file can be read from it, once. Its page can
//! be mapped.

use kernel::bindings;
use kernel::fs::File;
use kernel::ioctl::_IO;
use kernel::iov::{IovIterDest, IovIterSource};
use kernel::miscdevice::MiscDeviceOptions;
use kernel::mm::virt::VmaNew;
use kernel::page::Page;
use kernel::prelude::*;
use kernel::sync::Mutex;
use molt::front::misc::{Argument, Kept, Kiocb, MiscDevice, MiscDeviceRegistration};
use molt::State;

/// Answers the version.
const VERSION: u32 = _IO('P' as u32, 1);

#[pin_data]
#[derive(State)]
pub(crate) struct Pipe {
    #[pin]
    bytes: Mutex<KVec<u8>>,
    page: Page,
}

pub(crate) fn start(
    _module: &'static ThisModule,
) -> Result<Pin<KBox<MiscDeviceRegistration<Pipe, Kept>>>> {
    let options = MiscDeviceOptions { name: c"test_pipe" };
    KBox::try_pin_init(MiscDeviceRegistration::register(options), GFP_KERNEL)
}

#[vtable]
impl MiscDevice for Pipe {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Pin<KBox<Self>>> {
        KBox::try_pin_init(
            try_pin_init!(Self {
                bytes <- kernel::new_mutex!(KVec::new(), "test_pipe"),
                page: Page::alloc_page(GFP_KERNEL | __GFP_ZERO)?,
            }),
            GFP_KERNEL,
        )
    }

    fn read_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let mut bytes = kiocb.file().get_ref().bytes.lock();
        if bytes.is_empty() {
            return Err(EAGAIN);
        }
        let count = iov.copy_to_iter(&bytes);
        bytes.clear();
        Ok(count)
    }

    fn write_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterSource<'_>) -> Result<usize> {
        let mut bytes = kiocb.file().get_ref().bytes.lock();
        let mut more = KVec::new();
        let count = iov.copy_from_iter_vec(&mut more, GFP_KERNEL)?;
        bytes.extend_from_slice(&more, GFP_KERNEL)?;
        Ok(count)
    }

    fn ioctl(_me: Pin<&Self>, _file: &File, cmd: u32, _argument: &Argument) -> Result<isize> {
        match (cmd, super::ANSWER) {
            (VERSION, Some(version)) => Ok(version),
            _ => Err(ENOTTY),
        }
    }

    fn poll(me: Pin<&Self>, _file: &File) -> u32 {
        match me.get_ref().bytes.lock().is_empty() {
            true => bindings::POLLOUT | bindings::POLLWRNORM,
            false => {
                bindings::POLLIN | bindings::POLLRDNORM | bindings::POLLOUT | bindings::POLLWRNORM
            }
        }
    }

    fn mmap(me: Pin<&Self>, _file: &File, vma: &VmaNew) -> Result {
        let vma = vma.set_mixedmap();
        vma.vm_insert_page(vma.start(), &me.get_ref().page)
    }
}
