// SPDX-License-Identifier: GPL-2.0

//! Surface: the directories of `/sys/kernel/molt`, kept in step with the registry.
//!
//! ```text
//!   appears, goes                             when
//!   class, appears                            its registration does not return before
//!   implementation, appears or goes           as above
//!   class, goes                               by the work item, soon after its removal
//!   class of a name whose former directory    by the work item, once that one has gone
//!   is still going, appears
//! ```
//!
//! # Invariants
//!
//! No lock is held while a class's directory is removed: that waits for writes to it, and a
//! write may load a module, whose init registers and so comes here.

use core::ffi::c_void;
use core::mem::take;

use kernel::error::code::EBUSY;
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{Arc, Mutex};
use molt::class::Class as Framed;
use molt::implementation::Registered;
use molt::registry::{self, Edge, Observer};
use molt::text::Name;
use molt::transition::Transition;
use molt::Site;

use crate::class::{Class, Named, IMPLEMENTATION_FILES};
use crate::control::Control;
use crate::sysfs::{Dir, Set};

extern "C" {
    fn molt_later_begin(run: unsafe extern "C" fn(*const c_void), argument: *const c_void);
    fn molt_later();
    fn molt_later_end();
}

/// All directories. Fields are dropped in this order: what lies in a directory, before it.
#[pin_data(PinnedDrop)]
pub(crate) struct Surface {
    #[pin]
    nodes: Mutex<Nodes>,
    classes: Set,
    top: Dir<Control>,
}

struct Nodes {
    nodes: KVec<Node>,
    /// The class whose directory is just being removed, outside the lock.
    going: Option<Name>,
}

/// The directories of one class, dropped in this order.
struct Node {
    named: KVec<Dir<Named>>,
    implementations: Dir<()>,
    dir: Dir<Class>,
    /// It waits for the work item to remove it.
    is_removed: bool,
}

impl Node {
    fn class(&self) -> &Arc<Framed> {
        self.dir.owner().framed()
    }
}

impl Surface {
    /// Makes the top directory, with no class in it. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let control = Arc::pin_init(Control::new(), GFP_KERNEL)?;
        let top = Dir::new(
            crate::sysfs::Place::Kernel,
            c"molt",
            Control::FILES,
            control,
        )?;
        let classes = Set::new(&top, c"classes")?;
        let surface = Arc::pin_init(
            pin_init!(Self {
                nodes <- kernel::new_mutex!(
                    Nodes { nodes: KVec::new(), going: None },
                    "molt_nodes"
                ),
                classes,
                top,
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The surface's drop ends the work item, so `follow` gets one that is there.
        unsafe { molt_later_begin(follow, Arc::as_ptr(&surface).cast()) };
        Ok(surface)
    }

    pub(crate) fn control(&self) -> &Control {
        self.top.owner()
    }

    /// Removes all classes' directories, and waits for the writes to them. Nobody calls an
    /// observer's function any more.
    pub(crate) fn clear(&self) {
        // SAFETY: Always safe to call.
        unsafe { molt_later_end() };
        let nodes = take(&mut self.nodes.lock().nodes);
        drop(nodes);
    }

    /// Makes the directory of a class that has none and is not being removed. If one is on
    /// its way out, the work item does this again.
    fn add(&self, class: &Arc<Framed>) -> Result {
        let mut nodes = self.nodes.lock();
        if nodes.find(class).is_some() || class.is_removed() {
            return Ok(());
        }
        if nodes.has_name(class.name()) {
            return Err(EBUSY);
        }
        molt::fault(Site::ClassDir)?;
        nodes.nodes.reserve(1, GFP_KERNEL)?;
        let node = self.node(class)?;
        nodes.nodes.push(node, GFP_KERNEL)?;
        Ok(())
    }

    fn node(&self, class: &Arc<Framed>) -> Result<Node> {
        let control = self.top.owner().clone();
        let name = CString::try_from_fmt(fmt!("{}", class.name()))?;
        let owner = Arc::new(Class::new(class.clone(), control), GFP_KERNEL)?;
        let place = crate::sysfs::Place::Set(&self.classes);
        let dir = Dir::new(place, &name, Class::FILES, owner)?;
        let nothing = Arc::new((), GFP_KERNEL)?;
        let implementations = Dir::new(dir.inside(), c"implementations", &[], nothing)?;
        let mut node = Node {
            named: KVec::new(),
            implementations,
            dir,
            is_removed: false,
        };
        let mut known = KVec::new();
        let mut result = Ok(());
        class.for_each_implementation(|implementation| {
            let pushed = known.push(implementation.clone(), GFP_KERNEL);
            result = result.and(pushed.map_err(Error::from));
        });
        result?;
        for implementation in &known {
            node.add(implementation)?;
        }
        Ok(node)
    }

    /// The work item: removes what has to go, then makes what could not be made before.
    fn follow(&self) {
        while self.remove_one() {}
        let mut classes = KVec::new();
        registry::for_each_class(|class| {
            if classes.push(class.clone(), GFP_KERNEL).is_err() {
                pr_err!("no memory for the directory of class {}\n", class.name());
            }
        });
        for class in &classes {
            self.add_or_complain(class);
        }
    }

    /// Removes one directory that has to go; `false`: there is none.
    fn remove_one(&self) -> bool {
        let removed = self.nodes.lock().take_removed();
        let is_one = removed.is_some();
        drop(removed);
        self.nodes.lock().going = None;
        is_one
    }

    fn add_or_complain(&self, class: &Arc<Framed>) {
        match self.add(class) {
            Ok(()) => {}
            Err(EBUSY) => later(),
            Err(error) => pr_err!("no directory for class {}: {error:?}\n", class.name()),
        }
    }
}

impl Nodes {
    fn find(&mut self, class: &Arc<Framed>) -> Option<&mut Node> {
        self.nodes
            .iter_mut()
            .find(|node| Arc::ptr_eq(node.class(), class))
    }

    fn has_name(&self, name: &str) -> bool {
        self.going
            .as_ref()
            .is_some_and(|going| going.as_str() == name)
            || self.nodes.iter().any(|node| node.class().name() == name)
    }

    fn take_removed(&mut self) -> Option<Node> {
        let index = self.nodes.iter().position(|node| node.is_removed)?;
        let node = self.nodes.remove(index).ok()?;
        self.going = Some(node.class().name().into());
        Some(node)
    }
}

impl Node {
    fn add(&mut self, implementation: &Arc<Registered>) -> Result {
        let is_there = |dir: &Dir<Named>| Arc::ptr_eq(&dir.owner().implementation, implementation);
        if self.named.iter().any(is_there) {
            return Ok(());
        }
        molt::fault(Site::ImplementationDir)?;
        self.named.reserve(1, GFP_KERNEL)?;
        let name = CString::try_from_fmt(fmt!("{}", implementation.label()))?;
        let owner = Named {
            class: self.class().clone(),
            implementation: implementation.clone(),
        };
        let owner = Arc::new(owner, GFP_KERNEL)?;
        let dir = Dir::new(
            self.implementations.inside(),
            &name,
            IMPLEMENTATION_FILES,
            owner,
        )?;
        self.named.push(dir, GFP_KERNEL)?;
        Ok(())
    }
}

/// Queues the work item.
fn later() {
    // SAFETY: `Surface::new` has set it up.
    unsafe { molt_later() }
}

/// # Safety
///
/// `surface` is one, for the length of the call.
unsafe extern "C" fn follow(surface: *const c_void) {
    // SAFETY: By the caller's promise.
    unsafe { &*surface.cast::<Surface>() }.follow();
}

impl Observer for Surface {
    fn class_added(&self, class: &Arc<Framed>) {
        self.add_or_complain(class);
    }

    fn class_removed(&self, class: &Arc<Framed>) {
        if let Some(node) = self.nodes.lock().find(class) {
            node.is_removed = true;
        }
        // Perhaps this is a write to that very directory.
        later();
    }

    fn implementation_added(&self, class: &Arc<Framed>, implementation: &Arc<Registered>) {
        let mut nodes = self.nodes.lock();
        if let Some(Err(error)) = nodes.find(class).map(|node| node.add(implementation)) {
            pr_err!("no directory for {}: {error:?}\n", implementation.label());
        }
    }

    fn implementation_removed(&self, class: &Arc<Framed>, implementation: &Arc<Registered>) {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.find(class) {
            // Waits for those who read it; nothing is written there.
            node.named
                .retain(|dir| !Arc::ptr_eq(&dir.owner().implementation, implementation));
        }
    }

    fn transition_reached(&self, transition: &Transition, edge: Edge) {
        let result = transition.outcome().map_or("", |last| last.result());
        let mut nodes = self.nodes.lock();
        for member in transition.members() {
            if let Some(node) = nodes.find(member.class()) {
                let told = node.dir.tell(edge.name(), transition.id(), result);
                if let Err(error) = told {
                    pr_err!("no uevent for {}: {error:?}\n", member.class().name());
                }
            }
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Surface {
    fn drop(self: Pin<&mut Self>) {
        self.clear();
    }
}
