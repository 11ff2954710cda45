// SPDX-License-Identifier: GPL-2.0

//! Errno: an error of the kernel, with its name, which no library call gives.

use std::fmt;
use std::io;

/// An error's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(i32);

/// By number, as in the kernel's asm-generic/errno.h. `-`: there is no such number.
const NAMES: &str = "- EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF \
    ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV \
    ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE \
    EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY \
    ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH \
    ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT \
    ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT \
    ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC \
    ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ \
    EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT \
    EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL \
    ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN \
    ETOOMANYREFS \
    ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM \
    ENAVAIL \
    EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED \
    EKEYREJECTED \
    EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON";

impl Errno {
    /// What is asked for is not there.
    pub const ENOENT: Self = Self(2);
    /// A file is not what it should be.
    pub const EINVAL: Self = Self(22);
    /// Two versions do not go together.
    pub const EPROTO: Self = Self(71);
    /// The control module is not there.
    pub const ENODEV: Self = Self(19);
    /// The control module has no such file.
    pub const EOPNOTSUPP: Self = Self(95);
    /// It has taken too long.
    pub const ETIMEDOUT: Self = Self(110);

    /// The error's name, such as `EBUSY`.
    pub fn name(self) -> &'static str {
        usize::try_from(self.0)
            .ok()
            .and_then(|number| NAMES.split(' ').nth(number))
            .filter(|name| *name != "-")
            .unwrap_or("EIO")
    }

    /// The exit status that stands for it: its number, all of which fit.
    pub fn status(self) -> u8 {
        u8::try_from(self.0).unwrap_or(1).max(1)
    }
}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Self {
        // An error that is not the kernel's comes from the tool's own input or output.
        Self(error.raw_os_error().unwrap_or(5))
    }
}

impl fmt::Display for Errno {
    /// What the C library calls it, such as `Device or resource busy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_numbers() {
        for (number, name) in [
            (1, "EPERM"),
            (35, "EDEADLK"),
            (71, "EPROTO"),
            (95, "EOPNOTSUPP"),
            (110, "ETIMEDOUT"),
            (114, "EALREADY"),
            (116, "ESTALE"),
            (125, "ECANCELED"),
            (129, "EKEYREJECTED"),
            (133, "EHWPOISON"),
            (41, "EIO"),
            (-7, "EIO"),
        ] {
            assert_eq!(Errno(number).name(), name);
        }
    }
}
