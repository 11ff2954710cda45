// SPDX-License-Identifier: GPL-2.0

//! Arguments: the command line. Help, completions and the manual page are made from this.
//!
//! Numbers have no bounds here: the kernel has them, and says which was wrong.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::name::{Implementation, Key, Loadable, Name};

/// Exit statuses, for help and manual.
pub const EXIT_STATUS: &str = "\
0 if what was asked for was done. After a refusal by the kernel the number of the error, \
such as 2 (ENOENT), 16 (EBUSY), 71 (EPROTO), 110 (ETIMEDOUT) or 116 (ESTALE); its name and \
the reason are on standard error. 19 (ENODEV) if molt_control.ko is not loaded, 95 \
(EOPNOTSUPP) if it has no such function. 64 if the command line is wrong, 1 if the tool \
itself failed.";

/// Examples, for the manual.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "moltctl update counter Sum@2 && rmmod counter_v1",
        "Updates a class, and removes the module that it no longer needs.",
    ),
    (
        "moltctl check alpha=Plain@2 beta=Plain@2",
        "Asks whether two classes could be updated together.",
    ),
    (
        "moltctl check --back counter_v1.ko counter_v2.ko",
        "Shows what an update would do to each field and whether it could be undone, by the \
         files alone.",
    ),
    (
        "moltctl update counter Sum@2 --policy background && moltctl wait counter",
        "Lets calls go on in the new code at once, and waits until all state has followed.",
    ),
    (
        "moltctl switch counter Sum@2 --percent 5",
        "Tries the new code with a few instances.",
    ),
];

/// Update kernel modules while their objects are in use
///
/// A class is a named interface with all its live instances; an implementation is one
/// version of the code behind it, and comes with a module. An update moves all instances of
/// a class to another implementation, with their state. moltctl asks for it by the files of
/// /sys/kernel/molt, each request by a single write. To interrupt moltctl during an update is
/// to abort the update.
#[derive(Parser)]
#[command(name = "moltctl", version, after_help = format!("Exit status: {EXIT_STATUS}"))]
pub struct Arguments {
    /// A stand-in for /sys/kernel, for tests
    #[arg(long, hide = true, default_value = "/sys/kernel")]
    pub root: PathBuf,

    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Show classes, their implementations, and what goes on
    Status {
        /// Only this class
        class: Option<Name>,
        /// All that is known, as JSON; null is what this kernel does not tell
        #[arg(long)]
        json: bool,
    },
    /// Update a class, or several at one point in time
    #[command(override_usage = "moltctl update [OPTIONS] CLASS IMPL[@V]\n       \
                                moltctl update [OPTIONS] CLASS=IMPL[@V]...")]
    Update(Update),
    /// Ask whether an update could be done, and do nothing: the kernel, or two files
    ///
    /// Of two arguments that end in `.ko` only the files are read, of the module that is left
    /// and of the one that takes over; nothing is loaded. It says whether callers can go on,
    /// what an update would do to each field, whether that can fail, and the same for the way
    /// back. A refusal is 71 (EPROTO); a damaged schema, or a file that is no module of Molt,
    /// is 22 (EINVAL).
    #[command(override_usage = "moltctl check [OPTIONS] CLASS IMPL[@V]\n       \
                                moltctl check [OPTIONS] CLASS=IMPL[@V]...\n       \
                                moltctl check [--policy POLICY] [--json] [--back] OLD.ko NEW.ko")]
    Check(Check),
    /// Update a class to what it had before its last committed update
    Back {
        /// The class
        class: Name,
        #[command(flatten)]
        options: Options,
    },
    /// Move some instances of a class to another implementation
    #[command(
        override_usage = "moltctl switch [OPTIONS] --instance ID CLASS IMPL[@V]\n       \
                          moltctl switch [OPTIONS] --key KEY CLASS IMPL[@V]\n       \
                          moltctl switch [OPTIONS] --count N CLASS IMPL[@V]\n       \
                          moltctl switch [OPTIONS] --percent N CLASS IMPL[@V]"
    )]
    Switch(Switch),
    /// Show or set the implementation that new instances get
    Default {
        /// The class
        class: Name,
        /// The implementation; without a version the highest
        #[arg(value_name = "IMPL[@V]")]
        implementation: Option<Implementation>,
    },
    /// Show or set how many instances a second a background sweep transfers
    Rate {
        /// The class
        class: Name,
        /// The number; 0 is without a limit
        #[arg(value_name = "N")]
        rate: Option<u64>,
    },
    /// Refuse all transitions, or those of one class, or no longer
    #[command(allow_missing_positional = true)]
    Hold {
        /// Only this class
        class: Option<Name>,
        /// Whether they are refused from now on
        #[arg(value_enum, value_name = "on|off", hide_possible_values = true)]
        toggle: Toggle,
    },
    /// Keep an update that was made with --confirm-ms
    Confirm {
        /// The class
        class: Name,
    },
    /// Abort the running transition of a class
    Abort {
        /// The class
        class: Name,
    },
    /// Wait until no transition of a class is running
    Wait {
        /// The class
        class: Name,
        /// Give up after N milliseconds, with ETIMEDOUT
        #[arg(long, value_name = "N")]
        timeout_ms: Option<u64>,
    },
    /// Show the transitions that there have been, oldest first
    History {
        /// Only this class
        class: Option<Name>,
        /// All columns, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace an implementation that is known to be damaged: save the states that are sound,
    /// abandon calls that do not end
    Repair {
        /// The class
        class: Name,
        /// The implementation; without a version the highest
        #[arg(value_name = "IMPL[@V]")]
        implementation: Implementation,
        /// How long the calls have for leaving
        #[arg(long, value_name = "N")]
        deadline_ms: Option<u64>,
        /// It is known that state and calls are lost
        #[arg(long)]
        yes: bool,
    },
    /// Remove a class without instances, so that its modules can be removed
    Remove {
        /// The class
        class: Name,
    },
    /// Load a module, by its name or as molt:CLASS:IMPL@V
    Load {
        /// The module
        name: Loadable,
    },
    /// Write completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual page
    #[command(hide = true)]
    Man,
}

/// An update, or the question whether it could be done.
#[derive(Args)]
pub struct Update {
    /// The class, and the implementation to update it to: CLASS IMPL[@V]; or any number of
    /// CLASS=IMPL[@V], which are updated together. Without a version it is the highest
    #[arg(required = true, value_name = "CLASS IMPL[@V]")]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub options: Options,
    /// Refuse unless the class is at this generation
    #[arg(long, value_name = "GENERATION")]
    pub expect: Option<u64>,
}

/// The question whether an update could be done.
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    pub update: Update,
    /// Of two files, all that they tell, as JSON
    #[arg(long)]
    pub json: bool,
    /// Of two files, refuse also where there is no way back
    #[arg(long)]
    pub back: bool,
}

/// How an update is done.
#[derive(Args)]
pub struct Options {
    /// When instances get their new state
    #[arg(long, value_enum, value_name = "POLICY")]
    pub policy: Option<Policy>,
    /// Give up after N milliseconds without quiescence
    #[arg(long, value_name = "N")]
    pub deadline_ms: Option<u64>,
    /// Open the gate again after N milliseconds without quiescence; the commit comes on top
    #[arg(long, value_name = "N")]
    pub pause_ms: Option<u64>,
    /// Move what is left at full speed from N milliseconds after the commit on
    #[arg(long, value_name = "N")]
    pub complete_ms: Option<u64>,
    /// Go back by itself unless confirmed within N milliseconds
    #[arg(long, value_name = "N")]
    pub confirm_ms: Option<u64>,
}

impl Options {
    /// Whether nothing but the policy is given, if that.
    pub fn is_policy_alone(&self) -> bool {
        let times = [
            self.deadline_ms,
            self.pause_ms,
            self.complete_ms,
            self.confirm_ms,
        ];
        times.iter().all(Option::is_none)
    }
}

/// When instances get their new state.
#[derive(Clone, Copy, ValueEnum)]
pub enum Policy {
    /// all before the calls go on
    Eager,
    /// each before its next call
    Lazy,
    /// each before its next call, the others by and by
    Background,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eager => "eager",
            Self::Lazy => "lazy",
            Self::Background => "background",
        })
    }
}

/// A switch of some instances.
#[derive(Args)]
pub struct Switch {
    /// The class
    pub class: Name,
    /// The implementation; without a version the highest
    #[arg(value_name = "IMPL[@V]")]
    pub implementation: Implementation,
    #[command(flatten)]
    pub which: Which,
    /// Give up after N milliseconds without quiescence
    #[arg(long, value_name = "N")]
    pub deadline_ms: Option<u64>,
    /// Open the gate again after N milliseconds without quiescence; the commit comes on top
    #[arg(long, value_name = "N")]
    pub pause_ms: Option<u64>,
}

/// Which instances.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The instance of this number
    #[arg(long, value_name = "ID")]
    pub instance: Option<u64>,
    /// The instance of this key
    #[arg(long, value_name = "KEY")]
    pub key: Option<Key>,
    /// So many instances
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// So many of a hundred instances
    #[arg(long, value_name = "N")]
    pub percent: Option<u64>,
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Toggle {
    On,
    Off,
}

/// Shells with completions.
#[derive(Clone, Copy, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}
