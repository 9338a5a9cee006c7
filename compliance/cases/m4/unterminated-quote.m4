a
`never closed
