//! Contexts of database objects by kind and name: `sepgsql_contexts(5)`, `selabel_db(5)`.

use crate::glob::Globs;
use crate::line::{Fault, Field, LineError, LineErrorKind, required};

/// Kinds of objects of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `db_database`.
    Database,
    /// `db_schema`.
    Schema,
    /// `db_table`.
    Table,
    /// `db_column`.
    Column,
    /// `db_sequence`.
    Sequence,
    /// `db_view`.
    View,
    /// `db_procedure`.
    Procedure,
    /// `db_blob`.
    Blob,
    /// `db_tuple`.
    Tuple,
    /// `db_language`.
    Language,
    /// `db_exception`.
    Exception,
    /// `db_datatype`.
    Datatype,
}

impl Kind {
    /// The kind by the word of the file.
    pub fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"db_database" => Self::Database,
            b"db_schema" => Self::Schema,
            b"db_table" => Self::Table,
            b"db_column" => Self::Column,
            b"db_sequence" => Self::Sequence,
            b"db_view" => Self::View,
            b"db_procedure" => Self::Procedure,
            b"db_blob" => Self::Blob,
            b"db_tuple" => Self::Tuple,
            b"db_language" => Self::Language,
            b"db_exception" => Self::Exception,
            b"db_datatype" => Self::Datatype,
            _ => return None,
        })
    }
}

/// The table of a `sepgsql_contexts` file: `kind glob context` a line; `#` begins a comment anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SepgsqlContexts {
    entries: Globs<Kind>,
}

impl SepgsqlContexts {
    /// The table, and what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<LineError>) {
        let (entries, errors) = crate::line::each(bytes, |line| {
            let line = line.split(|&it| it == b'#').next().unwrap_or_default();
            let [kind, name, context] = required(line, ["a kind", "a name", "a context"])?;
            if let Some(extra) = crate::line::fields(line).nth(3) {
                return Err(extra.wrong(LineErrorKind::Extra(extra.lossy())));
            }
            let kind = Kind::parse(kind.bytes).ok_or_else(|| unknown(kind))?;
            Ok((kind, name.bytes.into(), context.bytes.into()))
        });
        (Self { entries }, errors)
    }

    /// The context of an object by its full name, such as `database.schema.table`: the first line of its kind whose glob matches.
    pub fn lookup(&self, kind: Kind, name: &[u8]) -> Option<&[u8]> {
        crate::glob::first(&self.entries, &kind, name)
    }
}

fn unknown(kind: Field<'_>) -> Fault {
    let expected = "db_ and the kind of a database object";
    kind.wrong(LineErrorKind::Unexpected { expected, found: kind.lossy() })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{Kind, SepgsqlContexts};
    use crate::line::told;

    #[test]
    fn first_glob_of_the_kind() {
        let (db, errors) = SepgsqlContexts::parse(
            b"db_table *.pg_catalog.* s:o:sys_t # those of the system\ndb_table *.*.* s:o:table_t\n\
              db_column *.*.*.* s:o:col#umn_t\ndb_row * s:o:row_t\ndb_blob *.* s:o:blob_t more\ndb_view *.*#x s:o:t\n",
        );
        expect![[r#"
            4:1: expected db_ and the kind of a database object, found "db_row"
            5:24: expected the end of the line, found "more"
            6:12: expected a context here, found the end of the line"#]]
        .assert_eq(&told(&errors));
        let cases = [
            (Kind::Table, "db.pg_catalog.pg_class", Some("s:o:sys_t")),
            (Kind::Table, "db.public.t", Some("s:o:table_t")),
            (Kind::Table, "t", None),
            (Kind::Column, "db.public.t.c", Some("s:o:col")),
            (Kind::Database, "db", None),
        ];
        for (kind, name, expected) in cases {
            assert_eq!(db.lookup(kind, name.as_bytes()), expected.map(str::as_bytes), "{name}");
        }
    }
}
