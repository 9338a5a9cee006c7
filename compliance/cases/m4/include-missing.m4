include(`/no/such/file')
