// SPDX-License-Identifier: GPL-2.0

//! A front of one's own: files in debugfs.
//!
//! Purpose: shows all there is to a front. It owns what it has registered with the kernel, here a
//! file in debugfs for each class that asks for one, and with it the functions that the kernel
//! calls. These copy what comes from user space, and call the instance.
//!
//! Usage:
//!
//! ```text
//! # modprobe debugfs_gauge_v1                       loads this module by its alias
//! # echo 7 > /sys/kernel/debug/gauge/value; cat /sys/kernel/debug/gauge/value
//! # modprobe debugfs_gauge_v2
//! # echo Gauge@2 > /sys/kernel/molt/classes/gauge/update
//! # cat /sys/kernel/debug/gauge/value                     now with the least and the greatest
//! ```
//!
//! How to make it fail: `rmmod debugfs_front` while the class is there is refused.

#![deny(unsafe_code)]

use kernel::debugfs::{Dir, File, Reader};
use kernel::fmt;
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_mutex, Arc, Mutex};
use kernel::uaccess::UserSliceReader;
use molt::front::{self, Front, Report};
use molt::{Class, Handle};

mod file;
use file::{DebugfsFile, Options, FRONT};

module! {
    type: DebugfsFront,
    name: "debugfs_front",
    authors: ["The Molt developers"],
    description: "Molt sample: a front for files in debugfs",
    license: "GPL",
    alias: ["molt-front-debugfs"],
}

/// Most bytes of what is written.
const MOST: usize = 4096;

struct DebugfsFront {
    _registration: front::Registration,
}

impl kernel::Module for DebugfsFront {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let files = Arc::pin_init(
            pin_init!(Files {
                nodes <- new_mutex!(KVec::new(), "debugfs_front"),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _registration: front::Registration::new(FRONT, files, module)?,
        })
    }
}

/// All files of this front.
#[pin_data]
struct Files {
    #[pin]
    nodes: Mutex<KVec<Node>>,
}

/// A file. It goes with this, once nobody is in its functions any more.
struct Node {
    class: CString,
    _file: Pin<KBox<File<Content>>>,
}

/// What is behind a file.
struct Content {
    handle: Handle<dyn DebugfsFile>,
    room: usize,
}

impl Front for Files {
    fn attach(&self, class: &CStr, options: &front::Options) -> Result {
        let content = Content {
            handle: Class::open(class)?.create(())?,
            room: options.get::<Options>()?.room,
        };
        let folder = Dir::new(class);
        let file = folder.read_write_file(c"value", content);
        let node = Node {
            class: CString::try_from(class)?,
            _file: KBox::pin_init(file, GFP_KERNEL)?,
        };
        Ok(self.nodes.lock().push(node, GFP_KERNEL)?)
    }

    fn detach(&self, class: &CStr) -> Result {
        let mut nodes = self.nodes.lock();
        let at = nodes.iter().position(|node| &*node.class == class);
        let node = nodes.remove(at.ok_or(ENOENT)?).map_err(|_| ENOENT)?;
        drop(nodes);
        drop(node);
        Ok(())
    }
}

/// What a reader gets.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut report = Report::new(self.room).map_err(|_| fmt::Error)?;
        self.handle.show(&mut report).map_err(|_| fmt::Error)?;
        let text = core::str::from_utf8(report.as_bytes());
        f.write_str(text.map_err(|_| fmt::Error)?)
    }
}

/// What a writer gives: it is here before the call, so that the class does not wait for it.
impl Reader for Content {
    fn read_from_slice(&self, reader: &mut UserSliceReader) -> Result {
        if reader.len() > MOST {
            return Err(E2BIG);
        }
        let mut bytes = KVec::from_elem(0, reader.len(), GFP_KERNEL)?;
        reader.read_slice(&mut bytes)?;
        let text = core::str::from_utf8(&bytes).map_err(|_| EINVAL)?;
        self.handle.store(text)
    }
}
