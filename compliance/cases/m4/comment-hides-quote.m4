# don't
`it' # isn't
`ok'
