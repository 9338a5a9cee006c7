a errprint(`to standard error
')b
