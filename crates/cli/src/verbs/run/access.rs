//! What the monitor tells of a decision, as what explanations and rules begin with.

use mandate_audit::{Access, Object};
use mandate_enforce::{Record, Subject};

/// A record of the monitor as an audit record would be read.
pub(super) fn of(record: &Record) -> Access {
    Access {
        denied: record.denied,
        permissive: Some(record.permissive),
        permissions: record.permissions.iter().map(|it| (*it).to_owned()).collect(),
        scontext: record.source.clone(),
        tcontext: record.target.clone(),
        tclass: record.class.to_owned(),
        pid: Some(record.thread),
        comm: Some(record.command.clone()),
        exe: None,
        object: object(&record.subject),
    }
}

fn object(subject: &Subject) -> Object {
    let mut object = Object::default();
    match subject {
        Subject::File { path, inode } => {
            object.path = Some(path.clone());
            object.ino = Some(*inode).filter(|it| *it != 0);
        }
        Subject::Port(port) => object.dest = Some(*port),
        _ => {}
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use mandate_audit::{Events, Reader};

    /// What goes to the file of `--audit`, read as audit logs are.
    #[track_caller]
    fn check(subject: Subject) {
        let record = Record {
            source: "user_u:user_r:user_t:s0".into(),
            target: "system_u:object_r:etc_t:s0".into(),
            class: "file",
            permissions: vec!["read", "open"],
            denied: true,
            permissive: true,
            thread: 12,
            command: b"my cat".to_vec(),
            subject,
        };
        let line = super::super::told::line(&record, std::time::Duration::from_millis(1_700), 3);
        let events = Events::new(Reader::new(line.as_bytes()));
        let events: Result<Vec<_>, _> = events.collect();
        let read: Vec<_> = events.unwrap().iter().flat_map(|it| it.accesses()).collect();
        assert_eq!(read, [of(&record)], "{line}");
    }

    #[test]
    fn a_record_is_what_is_read_of_its_line() {
        check(Subject::File { path: b"/etc/passwd".to_vec(), inode: 7 });
        check(Subject::File { path: b"/etc/my \"key\"\n\xff".to_vec(), inode: 7 });
        check(Subject::File { path: b"/etc/to be made".to_vec(), inode: 0 });
        check(Subject::Port(8080));
        check(Subject::Process(1));
        check(Subject::Nothing);
    }
}
