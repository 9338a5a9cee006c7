define(`read_perms', `{ getattr open read }')define(`write_perms', `{ read_perms write }')allow a b:file write_perms;
