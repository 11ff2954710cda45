// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of what needs no module besides the framework: texts, schemas, the read side and
//! its grace periods on the kernel's own primitives, gates, memory for transfers.

use kernel::prelude::*;

#[kunit_tests(molt_text)]
mod text {
    use super::*;
    use crate::text::Text;

    #[test]
    fn what_fits_is_kept() {
        assert_eq!(Text::<4>::from("molt").as_str(), "molt");
        assert_eq!(Text::<4>::new().as_str(), "");
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        assert_eq!(Text::<4>::from("molting").as_str(), "molt");
        // Two bytes each, of which the second one does not fit.
        assert_eq!(Text::<3>::from("\u{e4}\u{f6}").as_str(), "\u{e4}");
    }

    #[test]
    fn nothing_follows_what_was_cut() {
        let text = Text::<4>::format(fmt!("{}{}", "molting", "x"));
        assert_eq!(text.as_str(), "molt");
    }
}

#[kunit_tests(molt_schema)]
mod schema {
    use crate::interface::{Context, Description, Method};
    use crate::schema::compare::{compare, Op, Path, Sink, Step, Why};
    use crate::schema::encode::{encode, measure, Counts, Encoded, Source};
    use crate::schema::format::Schema;
    use crate::schema::State;

    #[derive(crate::State)]
    struct Sum {
        total: u64,
        limit: u32,
    }

    #[derive(crate::State)]
    #[state(from = "Sum@1", name = "Sum")]
    struct Next {
        limit: u32,
        #[state(default)]
        calls: u64,
        total: u64,
    }

    const CREATION: Method = Method {
        name: "create",
        signature: "fn()",
        fingerprint: 1,
        words: &[],
    };

    static INTERFACE: Description = Description {
        name: "Counter",
        context: Context::Sleepable,
        creation: CREATION,
        methods: &[],
        fingerprint: 2,
    };

    const fn source<T: State>(version: u32) -> Source {
        Source {
            class: "counter",
            name: "Sum",
            version,
            interface: &INTERFACE,
            state: T::TYPE,
            sources: T::SOURCES,
            has_transfers: false,
            resets: &[],
        }
    }

    const OLD: Counts = measure(&source::<Sum>(1));
    const NEW: Counts = measure(&source::<Next>(2));
    static V1: Encoded<{ OLD.size() }, { OLD.types }, { OLD.rules }> =
        encode(&source::<Sum>(1), OLD);
    static V2: Encoded<{ NEW.size() }, { NEW.types }, { NEW.rules }> =
        encode(&source::<Next>(2), NEW);

    /// Counts what becomes of fields.
    #[derive(Default)]
    struct Counted {
        kept: usize,
        made: usize,
        refused: usize,
    }

    impl Sink for Counted {
        type Error = ();

        fn op(&mut self, _path: &Path<'_>, op: Op) -> core::result::Result<usize, ()> {
            match op {
                Op::Copy { .. } => self.kept += 1,
                _ => self.made += 1,
            }
            Ok(0)
        }

        fn close(&mut self, _at: usize) {}

        fn step(&mut self, _path: &Path<'_>, _step: Step<'_>) -> core::result::Result<(), ()> {
            Ok(())
        }

        fn refuse(&mut self, _path: &Path<'_>, _why: Why<'_>) {
            self.refused += 1;
        }
    }

    #[test]
    fn what_the_compiler_writes_is_read() {
        let Ok(schema) = Schema::new(&V2.bytes) else {
            return assert!(false);
        };
        assert_eq!(schema.name(), "Sum");
        assert_eq!(schema.version(), 2);
        assert!(schema.covers("Sum", 1));
        assert!(!schema.covers("Sum", 3));
        assert_eq!(schema.state().parts().count(), 3);
    }

    #[test]
    fn each_cut_is_refused() {
        for end in 0..V2.bytes.len() {
            assert!(Schema::new(V2.bytes.get(..end).unwrap_or_default()).is_err());
        }
    }

    #[test]
    fn fields_are_kept_by_name() {
        let (Ok(old), Ok(new)) = (Schema::new(&V1.bytes), Schema::new(&V2.bytes)) else {
            return assert!(false);
        };
        let mut there = Counted::default();
        assert!(compare(old, new, false, &mut there).is_ok());
        assert!(there.kept > 0);
        assert_eq!(there.made, 1);
        assert_eq!(there.refused, 0);
    }
}

#[kunit_tests(molt_gate)]
mod gate {
    use super::*;
    use crate::domain::{Domain, GracePeriod};
    use crate::gate::{Gate, Lane, Phase};
    use crate::primitives::{arc, Arc};
    use crate::record::Records;

    fn records() -> Result<Arc<Records>> {
        let records = arc(Records::new()?)?;
        records.settle();
        Ok(records)
    }

    fn gate() -> Result<Arc<Gate>> {
        Gate::new(records()?, false)
    }

    #[test]
    fn a_grace_period_waits_for_a_reader() -> Result {
        let records = records()?;
        let domain = arc(Domain::new())?;
        domain.settle()?;
        let reader = domain.enter();
        let period = GracePeriod::begin(&domain, &records)?;
        assert!(!records
            .drain
            .wait_timeout(|| period.has_ended(), 20_000_000));
        assert!(domain.has_pending());
        domain.leave(reader);
        assert!(records
            .drain
            .wait_timeout(|| period.has_ended(), 5_000_000_000));
        domain.barrier();
        assert!(!domain.has_pending());
        Ok(())
    }

    #[test]
    fn a_grace_period_does_not_wait_for_who_comes_later() -> Result {
        let domain = arc(Domain::new())?;
        domain.settle()?;
        let first = domain.enter();
        domain.leave(first);
        domain.synchronize();
        let second = domain.enter();
        domain.leave(second);
        Ok(())
    }

    #[test]
    fn a_gate_is_open_at_first() -> Result {
        let gate = gate()?;
        assert!(gate.phase() == Phase::Idle);
        assert!(!gate.is_stale(gate.open_stamp()));
        let inside = gate.enter_creation();
        assert!(inside.is_some());
        Ok(())
    }

    #[test]
    fn nobody_enters_a_closed_gate() -> Result {
        let gate = gate()?;
        gate.publish(Lane::Class, Phase::Tracking);
        gate.close();
        assert!(gate.enter_creation().is_none());
        gate.open();
        gate.publish(Lane::Class, Phase::Idle);
        assert!(gate.enter_creation().is_some());
        Ok(())
    }

    #[test]
    fn a_commit_makes_stamps_stale() -> Result {
        let gate = gate()?;
        let before = gate.open_stamp();
        gate.advance(before.wrapping_add(1));
        assert!(gate.is_stale(before));
        assert!(!gate.is_stale(gate.open_stamp()));
        Ok(())
    }

    #[test]
    fn each_closure_has_a_number_of_its_own() -> Result {
        let gate = gate()?;
        let first = gate.next_closure();
        assert!(gate.next_closure() > first);
        Ok(())
    }

    #[test]
    fn calls_are_recorded_while_a_transition_tracks() -> Result {
        let records = records()?;
        let gates = [Gate::new(records.clone(), false)?];
        let [gate] = &gates;
        gate.publish(Lane::Class, Phase::Tracking);
        gate.close();
        let (mut seen, mut times) = (0, 0);
        gate.call_creation(&mut || {
            seen = records.scan(&gates);
            times += 1;
        });
        assert_eq!(times, 1);
        assert_eq!(seen, 1);
        assert_eq!(records.scan(&gates), 0);
        assert_eq!(gate.traffic().recorded, 1);
        gate.open();
        gate.publish(Lane::Class, Phase::Idle);
        Ok(())
    }
}

#[kunit_tests(molt_memory)]
mod memory {
    use super::*;
    use crate::container::Room;

    #[test]
    fn rooms_are_aligned() -> Result {
        for align in [1, 8, 64, 512] {
            let room = Room::new(3, 24, align)?;
            assert_eq!(room.first().addr() % align, 0);
        }
        Ok(())
    }

    #[test]
    fn nothing_is_well_aligned_too() -> Result {
        assert_eq!(Room::new(0, 24, 64)?.first().addr(), 64);
        Ok(())
    }

    #[test]
    fn a_length_that_overflows_is_refused() {
        assert!(Room::new(usize::MAX, 2, 1).is_err());
        assert!(Room::new(isize::MAX as usize, 1, 64).is_err());
    }
}

#[kunit_tests(molt_error)]
mod error {
    use super::*;
    use crate::error::{errno_name, Refusal};

    #[test]
    fn errors_have_names() {
        assert_eq!(errno_name(EBUSY), "EBUSY");
        assert_eq!(errno_name(ETIMEDOUT), "ETIMEDOUT");
    }

    #[test]
    fn a_refusal_says_why() {
        let refusal = Refusal::new(EBUSY, fmt!("{} of {}", 1, 2));
        assert_eq!(refusal.reason().as_str(), "1 of 2");
        assert_eq!(refusal.errno(), "EBUSY");
    }
}
