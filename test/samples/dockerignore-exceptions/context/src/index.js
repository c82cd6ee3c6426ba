say('index')
