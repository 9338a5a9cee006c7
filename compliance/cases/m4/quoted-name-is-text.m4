define(`foo', `F')`foo' ``foo'' foo
