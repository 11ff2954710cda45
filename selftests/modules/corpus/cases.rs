// SPDX-License-Identifier: GPL-2.0

//! The cases that both versions of class `corpus` consist of.

/// Hands the list of cases to `$then`: a name, and where its versions are.
macro_rules! cases {
    ($then:ident!($($arguments:tt)*)) => {
        $crate::cases::$then! {
            ($($arguments)*)
            order: crate::layout::order,
            padding: crate::layout::padding,
            deep: crate::layout::deep,
            generic: crate::layout::generic,
            swapped: crate::names::swapped,
            numbers: crate::names::numbers,
            converted: crate::values::converted,
            units: crate::values::units,
            tried: crate::values::tried,
            begun: crate::values::begun,
            nested: crate::containers::nested,
            array: crate::containers::array,
            empty: crate::containers::empty,
            tagged: crate::enums::tagged::plain,
            tagged_with_c: crate::enums::tagged::with_c,
            untagged: crate::enums::untagged,
            owned: crate::owned,
        }
    };
}
pub(crate) use cases;

/// Declares the state of one version: the cases, and `$fields` for those that have to be fields
/// of the state itself. `$check` checks these by name.
macro_rules! state {
    (
        ($version:ident($ledger:ident, $seed:ident)
         { $($fields:tt)* } { $($values:tt)* } $($own:ident: $check:ident,)*)
        $($name:ident: $($path:ident)::+,)*
    ) => {
        #[derive(State)]
        #[pin_data]
        pub(crate) struct Shapes {
            ledger: Arc<Ledger>,
            seed: u64,
            $($name: $($path)::+::$version::Shape,)*
            $($fields)*
        }

        impl molt::Implementation<dyn Corpus> for Shapes {
            fn create(($ledger, $seed): (Arc<Ledger>, u64)) -> impl PinInit<Self, Error> {
                pin_init::pin_init_scope(move || {
                    Ok(try_pin_init!(Self {
                        $($name: Case::new(&$ledger, $seed)?,)*
                        $($values)*
                        ledger: $ledger,
                        seed: $seed,
                    }))
                })
            }
        }

        /// What there is to check, in order.
        const NAMES: &[&str] = &[$(stringify!($name),)* $(stringify!($own),)*];

        impl Corpus for Shapes {
            fn check(&self, case: u32, trips: u32) -> Option<Seen> {
                let mut check = Check::new(self.seed, trips);
                match *NAMES.get(case as usize)? {
                    $(stringify!($name) => self.$name.check(&mut check),)*
                    $(stringify!($own) => self.$check(&mut check),)*
                    _ => return None,
                }
                Some(check.end())
            }

            fn name(&self, case: u32) -> Option<CString> {
                let name = NAMES.get(case as usize)?;
                CString::try_from_fmt(kernel::prelude::fmt!("{name}")).ok()
            }
        }
    };
}
pub(crate) use state;
