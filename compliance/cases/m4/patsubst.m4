patsubst(`GNUs not Unix', `\w+', `<\&>') patsubst(abc, b) patsubst(`a b', ` ', `_')
