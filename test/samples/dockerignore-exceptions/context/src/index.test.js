say('index.test')
