import { describe, expect, test } from 'vitest'
import { parseDockerfile } from '#dockerfile'
import { loadRules } from '#lint'

const { lintWithRules, defaultLintSettings } = await loadRules()

/** The line at which the rule speaks, if it does. */
function speaksAt(rule: string, text: string): number | undefined {
  const tree = parseDockerfile({ name: 'Dockerfile', text })
  const found = lintWithRules(tree, defaultLintSettings).find(({ code }) => code === rule)
  return found?.at && text.slice(0, found.at.span.start).split('\n').length
}

/** What each tool's own documentation says installs with and without development dependencies. */
const development: readonly (readonly [body: string, speaks: boolean])[] = [
  ['RUN npm ci', true],
  ['RUN npm install', true],
  ['RUN npm i --no-audit --no-fund', true],
  ['RUN cd app && npm ci && npm cache clean --force', true],
  ['RUN npm ci --omit=dev', false],
  ['RUN npm ci --omit dev', false],
  ['RUN npm install --production', false],
  ['RUN npm install --production=false', true],
  ['RUN npm install --only=production', false],
  ['RUN npm install express', false],
  ['RUN npm install -g pm2', false],
  ['RUN NODE_ENV=production npm ci', false],
  ['ENV NODE_ENV=production\nRUN npm ci', false],
  ['ENV NODE_ENV production\nRUN npm ci', false],
  ['ARG NODE_ENV=production\nRUN npm ci', false],
  ['ENV NODE_ENV=development\nRUN npm ci', true],
  ['RUN npm ci && npm run build && npm prune --omit=dev', false],
  ['RUN npm ci\nRUN npm run build\nRUN npm prune --production', false],
  ['RUN yarn', true],
  ['RUN yarn install --frozen-lockfile', true],
  ['RUN yarn install --production', false],
  ['RUN yarn build', false],
  ['RUN yarn install && yarn build && yarn workspaces focus --production', false],
  ['RUN pnpm install --frozen-lockfile', true],
  ['RUN pnpm install --prod', false],
  ['RUN pnpm i -P', false],
  ['RUN composer install --no-interaction', true],
  ['RUN composer install --no-dev -o', false],
  ['RUN poetry install', true],
  ['RUN poetry install --only main', false],
  ['RUN poetry install --without dev,test', false],
  ['RUN bundle install', true],
  ['RUN bundle config set --local without "development test" && bundle install', false],
  ['ENV BUNDLE_WITHOUT=development:test\nRUN bundle install', false],
  ['RUN uv sync --frozen', true],
  ['RUN uv sync --frozen --no-dev', false],
  ['RUN <<EOF\nset -e\nnpm ci\nEOF', true],
  ['RUN echo npm ci', false],
  ['RUN constructor install && toString', false],
]

describe('DevDependencies', () => {
  test.each(development)('%j: %s', (body, speaks) => {
    expect(speaksAt('DevDependencies', `FROM node:22\nWORKDIR /app\n${body}\nCMD ["x"]\n`) !== undefined).toBe(speaks)
  })

  test.each([
    [
      'a stage that is copied from',
      'FROM node:22 AS b\nRUN npm ci\nFROM nginx\nCOPY --from=b /app/dist /d\n',
      undefined,
    ],
    ['the last stage', 'FROM node:22 AS b\nRUN npm ci\nFROM node:22\nRUN npm ci\n', 4],
    ['variables of a stage below', 'FROM node:22 AS b\nENV NODE_ENV=production\nFROM b\nRUN npm ci\n', undefined],
    ['variables of another stage', 'FROM node:22 AS b\nENV NODE_ENV=production\nFROM node:22\nRUN npm ci\n', 4],
  ])('%s', (_, text, line) => {
    expect(speaksAt('DevDependencies', text)).toBe(line)
  })
})

const copied: readonly (readonly [body: string, speaks: boolean])[] = [
  ['COPY . .\nRUN npm ci', true],
  ['COPY ./ /app/\nRUN npm install', true],
  ['ADD . /app\nRUN yarn install', true],
  ['COPY . .\nRUN pip install -r requirements.txt', true],
  ['COPY . .\nENV A=1\nRUN bundle install', true],
  ['COPY . .\nRUN composer install --no-dev', true],
  ['COPY . .\nRUN go mod download', true],
  ['COPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .', false],
  ['COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .', false],
  ['COPY src/ ./src/\nRUN npm ci', false],
  ['COPY . .\nRUN npm run build', false],
  ['COPY . .\nRUN npm install -g pm2', false],
  ['COPY --from=other . .\nRUN npm ci', false],
  ['COPY . .\nRUN pip install --no-cache-dir .', false],
]

describe('CopyAllBeforeInstall', () => {
  test.each(copied)('%j: %s', (body, speaks) => {
    const text = `FROM node:22\nWORKDIR /app\n${body}\nCMD ["x"]\n`
    expect(speaksAt('CopyAllBeforeInstall', text) !== undefined).toBe(speaks)
  })
})
