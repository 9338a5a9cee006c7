m4wrap(`at the end
')body
