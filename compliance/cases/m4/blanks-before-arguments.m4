define(`f', `<$1><$2>')f(

	 a, # c
	 b
)
