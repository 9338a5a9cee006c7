regexp(`abc', `^b') regexp(`abc', `^a') regexp(`abc', `c$') regexp(`a b', `\bb')
