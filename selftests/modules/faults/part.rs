// SPDX-License-Identifier: GPL-2.0

//! What both versions of a state in the test class `faults` consist of. Every counted value has
//! a number of its own: that of the instance, and that of its place there.

/// Declares the parts and the state of one version. `$rule` stands on each counted value, and
/// `$more` is a field that only one version has.
macro_rules! state {
    ($name:ident, $(#[$rule:meta])? $(; $(#[$begin:meta])? $more:ident)?) => {
        /// A struct around a counted value.
        #[derive(Movable)]
        struct Part {
            $($(#[$begin])? $more: u64,)?
            $(#[$rule])?
            value: Counted,
        }

        #[derive(Movable)]
        #[repr(u8)]
        enum Kind {
            Nothing,
            Part(Part),
        }

        #[derive(State)]
        #[pin_data]
        pub(crate) struct $name {
            seed: u64,
            $(#[$rule])?
            first: Counted,
            boxed: KBox<Part>,
            list: KVec<Part>,
            option: Option<Part>,
            kind: Kind,
            #[pin]
            lock: Mutex<Part>,
            $(#[$rule])?
            last: Counted,
        }

        impl Part {
            fn new(ledger: &Arc<Ledger>, number: u64) -> Result<Self> {
                Ok(Self {
                    $($more: 0,)?
                    value: Counted::new(ledger, number)?,
                })
            }
        }

        impl molt::Implementation<dyn Corpus> for $name {
            fn create((ledger, seed): (Arc<Ledger>, u64)) -> impl PinInit<Self, Error> {
                pin_init::pin_init_scope(move || {
                    let number = seed * 8;
                    let part = |place| Part::new(&ledger, number + place);
                    let mut parts = KVec::new();
                    parts.push(part(2)?, GFP_KERNEL)?;
                    parts.push(part(3)?, GFP_KERNEL)?;
                    let (boxed, option) = (KBox::new(part(1)?, GFP_KERNEL)?, Some(part(4)?));
                    let (kind, inside) = (Kind::Part(part(5)?), part(6)?);
                    Ok(try_pin_init!(Self {
                        seed,
                        first: Counted::new(&ledger, number)?,
                        boxed,
                        list: parts,
                        option,
                        kind,
                        lock <- kernel::new_mutex!(inside),
                        last: Counted::new(&ledger, number + 7)?,
                    }))
                })
            }
        }

        impl Corpus for $name {
            fn check(&self, case: u32, trips: u32) -> Option<Seen> {
                let mut check = Check::new(self.seed, trips);
                let number = self.seed * 8;
                check.counted(&self.first, number);
                check.counted(&self.boxed.value, number + 1);
                for (number, part) in (number + 2..).zip(&self.list) {
                    check.counted(&part.value, number);
                }
                match (&self.option, &self.kind) {
                    (Some(option), Kind::Part(part)) if self.list.len() == 2 => {
                        check.counted(&option.value, number + 4);
                        check.counted(&part.value, number + 5);
                    }
                    _ => check.is(false),
                }
                check.counted(&self.lock.lock().value, number + 6);
                check.counted(&self.last, number + 7);
                (case == 0).then(|| check.end())
            }

            fn name(&self, case: u32) -> Option<CString> {
                (case == 0).then(|| CString::try_from_fmt(fmt!("all")).ok())?
            }
        }
    };
}
pub(crate) use state;
