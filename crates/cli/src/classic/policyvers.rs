//! `policyvers`: the version of the policy.

use std::io::Write;

use anyhow::Result;

use crate::input;
use crate::words;

const KERNEL_VERSION: &str = "/sys/fs/selinux/policyvers";

/// The kernel's highest version, as the original; with `--policy FILE` the version of that policy.
pub(crate) fn policyvers(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let (policy, rest) = super::split_policy(words);
    if let Some(option) = rest.iter().find(|it| it.starts_with('-')) {
        anyhow::bail!("policyvers has no option {option}; ours is --policy FILE");
    }
    let Some(policy) = policy else {
        return match std::fs::read_to_string(KERNEL_VERSION) {
            Ok(version) => {
                writeln!(out, "{}", version.trim())?;
                Ok(0)
            }
            Err(_) => {
                let name = words.first().map_or("policyvers", String::as_str);
                writeln!(err, "{name}:  security_policyvers() failed:  No such file or directory")?;
                Ok(2)
            }
        };
    };
    let policy = input::read_unvalidated(&words::to_path(policy))?;
    writeln!(out, "{}", policy.db().version)?;
    Ok(0)
}
