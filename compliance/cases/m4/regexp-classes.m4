regexp(`ab12', `[0-9]+', `\&') regexp(`ab12', `[^a-z]', `\&') regexp(`a.b', `\.') regexp(`aXb', `a.b')
