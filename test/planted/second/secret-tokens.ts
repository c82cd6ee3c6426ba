import { file, goneFile, type Sample, setting } from './sample.ts'

const claims = { sub: 'svc-orders', iss: 'https://login.acme.io', exp: 2_000_000_000 }

/** Tokens of providers, each in the form that its documentation gives, at the places where people leave them. */
export const secretTokens: readonly Sample[] = [
  file(
    'root/.aws/credentials',
    v => `[default]\naws_access_key_id = AKIA${v.base32(16)}\naws_secret_access_key = «${v.base64(30)}»\n`,
  ),
  setting('env', 'aws secret', v => `AWS_SECRET_ACCESS_KEY=«${v.base64(30)}»`),
  file(
    'srv/py/upload.py',
    v =>
      `import boto3\n\ns3 = boto3.client("s3", aws_access_key_id="AKIA${v.base32(16)}",\n                  aws_secret_access_key="«${v.base64(30)}»")\n`,
  ),
  goneFile('srv/sts.env', v => `export AWS_SESSION_TOKEN=«IQoJb3JpZ2luX2Vj${v.base64(420)}»\n`),
  file('srv/maps/config.js', v => `export const maps = { key: "«AIza${v.url64(35)}»", zoom: 8 };\n`),
  file(
    'srv/py/oauth.json',
    v =>
      `{"web":{"client_id":"${v.digits(12)}-${v.lower(32)}.apps.googleusercontent.com","client_secret":"«GOCSPX-${v.url64(28)}»"}}\n`,
  ),
  file(
    'root/.config/gcloud/application_default_credentials.json',
    v =>
      `{\n  "client_id": "${v.digits(12)}.apps.googleusercontent.com",\n  "refresh_token": "«1//0${v.url64(98)}»",\n  "type": "authorized_user"\n}\n`,
  ),
  setting(
    'history',
    'google access token',
    v =>
      `RUN /bin/sh -c curl -H "Authorization: Bearer «ya29.${v.url64(160)}»" https://storage.googleapis.com/acme/x -o x # buildkit`,
  ),
  file(
    'srv/azure/.env',
    v =>
      `AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=https;AccountName=acmeprod;AccountKey=«${v.base64(64)}»;EndpointSuffix=core.windows.net"\n`,
  ),
  file('srv/azure/app.yaml', v => `azure:\n  tenant: ${v.uuid()}\n  clientSecret: «${v.base62(3)}8Q~${v.url64(34)}»\n`),
  file(
    'srv/azure/bus.json',
    v =>
      `{"ServiceBus": "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=«${v.base64(32)}»"}\n`,
  ),
  setting('env', 'digitalocean', v => `DIGITALOCEAN_TOKEN=«dop_v1_${v.hex(64)}»`),
  file('srv/ali/oss.py', v => `auth = oss2.Auth("LTAI5t${v.base62(18)}", access_key_secret="«${v.base62(30)}»")\n`),
  setting('label', 'github', v => `io.acme.build.token=«ghp_${v.checked()}»`),
  file(
    'root/.config/gh/hosts.yml',
    v => `github.com:\n    user: dev\n    oauth_token: «gho_${v.checked()}»\n    git_protocol: https\n`,
  ),
  file(
    'srv/ci/release.sh',
    v => `#!/bin/sh\ngh auth login --with-token <<< «github_pat_${v.base62(22)}_${v.base62(59)}»\n`,
  ),
  goneFile('srv/ci/actions.log', v => `2024-05-01T10:00:00Z remote: token «ghs_${v.checked()}» expires in 1h\n`),
  setting('env', 'gitlab', v => `CI_DEPLOY=«glpat-${v.url64(20)}»`),
  file(
    'etc/gitlab-runner/config.toml',
    v => `[[runners]]\n  name = "shell"\n  url = "https://gitlab.acme.io"\n  token = "«glrt-${v.url64(20)}»"\n`,
  ),
  file('srv/ci/bitbucket.txt', v => `bitbucket app password: «ATBB${v.base62(28)}${v.upperHex(4)}»\n`),
  file('srv/jira/jira.py', v => `JIRA = ("bot@acme.io", "«ATATT3xFfGF0${v.url64(171)}=${v.upperHex(8)}»")\n`),
  setting('history', 'npm', v => `|1 NPM_TOKEN=«npm_${v.checked()}» /bin/sh -c npm ci`),
  file('srv/py/publish.sh', v => `twine upload -u __token__ -p «pypi-AgEIcHlwaS5vcmc${v.url64(150)}» dist/*\n`),
  file('root/.gem/credentials', v => `---\n:rubygems_api_key: «rubygems_${v.hex(48)}»\n`),
  file('root/.cargo/credentials.toml', v => `[registry]\ntoken = "«cio${v.base62(32)}»"\n`),
  file(
    'srv/net/push.ps1',
    v =>
      `dotnet nuget push *.nupkg --api-key «oy2${v.of('abcdefghijklmnopqrstuvwxyz234567', 43)}» --source https://api.nuget.org/v3/index.json\n`,
  ),
  setting('history', 'docker hub', v => `RUN /bin/sh -c docker login -u acme -p «dckr_pat_${v.url64(27)}» # buildkit`),
  file('srv/bot/slack.py', v => `client = WebClient(token="«xoxb-${v.digits(12)}-${v.digits(13)}-${v.base62(24)}»")\n`),
  file('srv/bot/slack.env', v => `SLACK_APP=«xapp-1-A${v.upper(10)}-${v.digits(13)}-${v.hex(64)}»\n`),
  file(
    'srv/bot/notify.sh',
    v =>
      `curl -d '{"text":"done"}' «https://hooks.slack.com/services/T${v.upper(10)}/B${v.upper(10)}/${v.base62(24)}»\n`,
  ),
  file(
    'srv/bot/discord.json',
    v => `{"webhook": "«https://discord.com/api/webhooks/${v.digits(18)}/${v.url64(68)}»"}\n`,
  ),
  file(
    'srv/bot/discord-bot.js',
    v => `client.login('«${Buffer.from(v.digits(18)).toString('base64')}.${v.base62(6)}.${v.url64(38)}»');\n`,
  ),
  setting('env', 'telegram', v => `BOT=«${v.digits(10)}:AA${v.url64(33)}»`),
  file(
    'srv/bot/teams.yaml',
    v =>
      `teams: «https://acme.webhook.office.com/webhookb2/${v.uuid()}@${v.uuid()}/IncomingWebhook/${v.hex(32)}/${v.uuid()}»\n`,
  ),
  file('srv/pay/stripe.rb', v => `Stripe.api_key = '«sk_live_${v.base62(24)}»'\n`),
  file('srv/pay/restricted.env', v => `STRIPE=«rk_live_${v.base62(99)}»\n`),
  file('srv/pay/hook.php', v => `<?php $endpoint_secret = "«whsec_${v.base62(32)}»";\n`),
  file('srv/pay/square.js', v => `const square = new Client({ accessToken: '«EAAA${v.url64(60)}»' });\n`),
  file('srv/pay/braintree.env', v => `BT=«access_token$production$${v.lower(16)}$${v.hex(32)}»\n`),
  file(
    'srv/pay/razorpay.yaml',
    v => `razorpay:\n  key_id: rzp_live_${v.base62(14)}\n  key_secret: «${v.base62(24)}»\n`,
  ),
  file('srv/mail/send.py', v => `sg = SendGridAPIClient('«SG.${v.url64(22)}.${v.url64(43)}»')\n`),
  file('srv/mail/mailgun.cfg', v => `[mailgun]\ndomain=mg.acme.io\nkey=«key-${v.hex(32)}»\n`),
  file('srv/mail/chimp.ini', v => `[mailchimp]\napi = «${v.hex(32)}-us14»\n`),
  file('srv/mail/brevo.env', v => `BREVO=«xkeysib-${v.hex(64)}-${v.base62(16)}»\n`),
  file('srv/sms/twilio.env', v => `TWILIO_ACCOUNT_SID=AC${v.hex(32)}\nTWILIO_AUTH_TOKEN=«${v.hex(32)}»\n`),
  setting('env', 'openai', v => `LLM=«sk-proj-${v.url64(74)}T3BlbkFJ${v.url64(74)}»`),
  file('srv/ai/claude.ts', v => `const client = new Anthropic({ apiKey: '«sk-ant-api03-${v.url64(93)}AA»' });\n`),
  file(
    'root/.cache/huggingface/token',
    v => `«hf_${v.of('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 34)}»`,
  ),
  file('srv/ai/replicate.sh', v => `export REPLICATE=«r8_${v.base62(37)}»\n`),
  file('srv/ai/groq.toml', v => `[llm]\nkey = "«gsk_${v.base62(52)}»"\n`),
  file('srv/shop/shopify.env', v => `SHOP=«shpat_${v.hex(32)}»\n`),
  file('srv/mon/datadog.yaml', v => `site: datadoghq.eu\napi_key: «${v.hex(32)}»\n`),
  file('srv/mon/newrelic.js', v => `exports.key = '«NRAK-${v.upper(27)}»';\n`),
  file('srv/mon/grafana.env', v => `GRAFANA=«glsa_${v.base62(32)}_${v.hex(8)}»\n`),
  file('srv/mon/sentry.sh', v => `sentry-cli --auth-token «sntryu_${v.hex(64)}» releases new v1\n`),
  file('srv/mon/dynatrace.yaml', v => `apiToken: «dt0c01.${v.base32(24)}.${v.base32(64)}»\n`),
  file('root/.vault-token', v => `«hvs.CAESI${v.url64(90)}»`),
  file(
    'root/.terraform.d/credentials.tfrc.json',
    v => `{"credentials":{"app.terraform.io":{"token":"«${v.base62(14)}.atlasv1.${v.url64(67)}»"}}}\n`,
  ),
  file('srv/cf/deploy.env', v => `CLOUDFLARE_API_TOKEN=«${v.url64(40)}»\n`),
  file('srv/cf/origin.txt', v => `origin ca key «v1.0-${v.hex(24)}-${v.hex(146)}»\n`),
  file('srv/paas/heroku.env', v => `HEROKU_API_KEY=«${v.uuid()}»\n`),
  setting('env', 'fly', v => `FLY=FlyV1 «fm2_${v.base64(330)}»`),
  file('srv/paas/netlify.yml', v => `netlify: «nfp_${v.base62(36)}»\n`),
  file('srv/paas/vercel.json', v => `{"env": {"VERCEL_TOKEN": "«${v.base62(24)}»"}}\n`),
  file('srv/paas/scaleway.yaml', v => `access_key: SCW${v.upper(17)}\nsecret_key: «${v.uuid()}»\n`),
  file('srv/tools/linear.ts', v => `new LinearClient({ apiKey: "«lin_api_${v.base62(40)}»" });\n`),
  file('srv/tools/notion.py', v => `notion = Client(auth="«ntn_${v.digits(11)}${v.base62(35)}»")\n`),
  file('srv/tools/figma.sh', v => `FIGMA=«figd_${v.url64(40)}»\n`),
  file('srv/tools/airtable.js', v => `Airtable.configure({ apiKey: '«pat${v.base62(14)}.${v.hex(64)}»' });\n`),
  file('srv/tools/postman.env', v => `PM=«PMAK-${v.hex(24)}-${v.hex(34)}»\n`),
  file(
    'root/.databrickscfg',
    v => `[DEFAULT]\nhost = https://adb-${v.digits(16)}.7.azuredatabricks.net\ntoken = «dapi${v.hex(32)}»\n`,
  ),
  file('srv/db/planetscale.env', v => `PS=«pscale_tkn_${v.url64(43)}»\n`),
  file(
    'srv/db/supabase.env',
    v =>
      `SUPABASE_SERVICE_ROLE=«${v.jwt({ iss: 'supabase', ref: 'qwmkzkdjlfhzbnxw', role: 'service_role', exp: 2_000_000_000 })}»\n`,
  ),
  file('srv/tools/doppler.yaml', v => `token: «dp.st.prd.${v.base62(43)}»\n`),
  file('srv/tools/op.env', v => `OP_SERVICE_ACCOUNT_TOKEN=«ops_eyJ${v.url64(280)}»\n`),
  file(
    'root/.pulumi/credentials.json',
    v => `{"current":"https://api.pulumi.com","accessTokens":{"https://api.pulumi.com":"«pul-${v.hex(40)}»"}}\n`,
  ),
  file('srv/ci/buildkite.cfg', v => `name="builder"\napi="«bkua_${v.hex(40)}»"\n`),
  file('srv/ci/sonar.properties', v => `sonar.projectKey=orders\nsonar.login=«sqp_${v.hex(40)}»\n`),
  file(
    'srv/ci/circle.sh',
    v => `curl -H "Circle-Token: «CCIPAT_${v.base62(22)}_${v.hex(40)}»" https://circleci.com/api/v2/me\n`,
  ),
  file('srv/map/mapbox.js', v => `mapboxgl.serverToken = '«sk.eyJ1Ijoi${v.base62(60)}.${v.url64(22)}»';\n`),
  file('srv/social/facebook.php', v => `<?php $fb = '«EAAC${v.base62(160)}»';\n`),
  file('srv/social/twitter.env', v => `BEARER=«AAAAAAAAAAAAAAAAAAAAA${v.base62(12)}%2B${v.base62(70)}»\n`),
  file('srv/id/okta.yaml', v => `okta:\n  orgUrl: https://acme.okta.com\n  apiToken: «00${v.url64(40)}»\n`),
  file('srv/cms/contentful.js', v => `export const management = '«CFPAT-${v.url64(43)}»';\n`),
  file('srv/vpn/up.sh', v => `tailscale up --authkey=«tskey-auth-k${v.base62(11)}CNTRL-${v.base62(32)}»\n`),
  file('srv/jfrog/jfrog.yaml', v => `artifactory: «AKCp${v.base62(69)}»\n`),
  file(
    'srv/clj/profiles.clj',
    v => `{:auth {:repository-auth {#"clojars" {:username "acme" :password "«CLOJARS_${v.hex(60)}»"}}}}\n`,
  ),
  file('srv/ship/easypost.rb', v => `EasyPost.api = "«EZAK${v.base62(54)}»"\n`),
  file('srv/jwt/session.txt', v => `Cookie: session=«${v.jwt(claims)}»\n`),
  file('srv/ld/launch.env', v => `LD_SDK_KEY=«sdk-${v.uuid()}»\n`),
  file('srv/yc/key.env', v => `YC=«AQVN${v.url64(36)}»\n`),
  file('srv/ntfy/pushover.ini', v => `[pushover]\nuser=u${v.lower(29)}\napp_token=«a${v.lower(29)}»\n`),
]
