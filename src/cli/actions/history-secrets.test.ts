import { expect, test } from 'vitest'
import { secretWarnings } from './history-secrets.ts'

test.each([
  // As Docker's classic builder, BuildKit and we write it.
  ['/bin/sh -c #(nop)  ARG TOKEN=abc', ['the history shows the value of TOKEN']],
  ['|2 SERVER=http://x TOKEN=abc /bin/sh -c curl $SERVER', ['the history shows the value of TOKEN']],
  ['RUN |2 A=b DB_PASSWORD=x y /bin/sh -c make # buildkit', ['the history shows the value of DB_PASSWORD']],
  ['ENV A=b API_SECRET=c', ['the history shows the value of API_SECRET']],
  ['RUN |1 TOKEN=**** /bin/sh -c make # buildkit', ['TOKEN was an argument of this build']],
  // Nothing that was given a value, or none that is a secret.
  ['ARG TOKEN', []],
  ['RUN /bin/sh -c TOKEN=$(cat /run/secrets/token) make # buildkit', []],
  ['RUN |1 PUBLIC_KEY=abc /bin/sh -c TOKEN=x make', []],
  ['COPY TOKEN=x / # buildkit', []],
])('%s', (createdBy, messages) => {
  const found = secretWarnings([{ createdBy }], 'app').map(({ message }) => message.split(/: (whoever|its)/)[0])
  expect(found).toEqual(messages)
})

test('one warning for a name; a value that is shown once counts', () => {
  const rows = ['RUN |1 TOKEN=**** /bin/sh -c a', 'ARG TOKEN=abc', 'ARG KEY=****'].map(createdBy => ({ createdBy }))
  expect(secretWarnings(rows, 'app').map(({ message }) => message)).toEqual([
    'the history shows the value of TOKEN: whoever has the image can read it',
    'KEY was an argument of this build: its value is not in the history, but commands may have kept it in a layer',
  ])
})
