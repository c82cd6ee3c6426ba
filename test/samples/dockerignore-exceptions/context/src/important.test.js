say('important.test')
