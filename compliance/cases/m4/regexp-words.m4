define(`words', `ifelse(regexp($1, `\w'), -1, `', `regexp($1, `\(\w+\)', `<\1>')words(regexp($1, `\w+\(\(.\|\s\)*\)', `\1'))')')words(`a && (bc || !d)')
