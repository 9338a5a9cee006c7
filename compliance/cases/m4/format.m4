format(`%s-%d-%05d-%x', a, 5, 42, 255) format(`%-5s|%5s|', ab, cd) format(`%%')
