//! Compiles SELinux policy: Reference Policy trees, modules of one's own and `policy.conf` to a policy the kernel loads. Nothing here
//! opens a file: callers hand in bytes and get values.

#![forbid(unsafe_code)]

pub mod outcome;
