import type { Severity } from './finding.ts'
import { moreTokens } from './more-tokens.ts'
import { entropyOf, isExampleToken } from './placeholder.ts'
import type { Match, Rule } from './rule.ts'

/** id, title, anchors, pattern of the whole value, options: least entropy (bits per character), severity. */
export type TokenRow = readonly [
  id: string,
  title: string,
  anchors: readonly string[],
  value: RegExp,
  options?: {
    readonly entropy?: number
    readonly severity?: Severity
    /** So many characters are the same in all, and look like an example. */
    readonly start?: number
  },
]

/** A short literal, with what may stand before a value; the begin of a text counts as a line's. */
const opened = (start: string): string[] =>
  ['=', ' ', '"', "'", ':', '`', ',', '>', '/', '\n', '\t', '(', '[', '|'].map(before => before + start)

const b62 = '[A-Za-z0-9]'
const b64u = '[A-Za-z0-9_-]'

/** Values that say by their form what they are. Documented by those who give them out. */
const rows: readonly TokenRow[] = [
  [
    'aws-access-key',
    'AWS access key id',
    ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    /(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}/,
    { severity: 'medium' },
  ],
  ['gcp-api-key', 'Google API key', ['AIza'], re(`AIza${b64u}{35}`)],
  ['google-oauth-secret', 'Google OAuth client secret', ['GOCSPX-'], re(`GOCSPX-${b64u}{28}`)],
  ['google-access-token', 'Google access token', ['ya29.'], re(`ya29\\.${b64u}{20,}`)],
  [
    'azure-storage-key',
    'Azure storage account key',
    ['AccountKey=', 'SharedAccessKey='],
    /(?<=(?:AccountKey|SharedAccessKey)=)[A-Za-z0-9+/]{43}(?:[A-Za-z0-9+/]{43}=)?=/,
  ],
  [
    'azure-client-secret',
    'Azure client secret',
    ['secret', 'azure', 'password'],
    /[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}/,
  ],
  ['github-token', 'GitHub token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], re(`gh[pousr]_${b62}{36,255}`)],
  ['github-token', 'GitHub fine-grained token', ['github_pat_'], re(`github_pat_${b62}{22}_${b62}{59}`)],
  [
    'gitlab-token',
    'GitLab token',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glft-', 'glagent-'],
    re(`gl(?:pat|dt|rt|ptt|cbt|soat|ft|agent)-${b64u}{20,}`),
  ],
  ['gitlab-runner-token', 'GitLab runner registration token', ['GR1348941'], re(`GR1348941${b64u}{20}`)],
  ['npm-token', 'npm access token', ['npm_'], re(`npm_${b62}{36}`)],
  ['pypi-token', 'PyPI token', ['pypi-AgE'], re(`pypi-AgE${b64u}{60,}`)],
  ['rubygems-token', 'RubyGems API key', ['rubygems_'], /rubygems_[0-9a-f]{48}/],
  ['docker-token', 'Docker Hub token', ['dckr_pat_', 'dckr_oat_'], re(`dckr_[po]at_${b64u}{27,}`)],
  [
    'slack-token',
    'Slack token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xapp-'],
    /(?:xox[abprs]-|xoxe[-.](?:xox[bp]-)?|xapp-)[A-Za-z0-9-]{20,}/,
    { entropy: 2.8 },
  ],
  [
    'slack-webhook',
    'Slack webhook',
    ['hooks.slack.com/'],
    re(`hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Z0-9]+/[A-Z0-9]+/${b62}{16,}`),
  ],
  ['stripe-key', 'Stripe secret key', ['sk_live_', 'rk_live_'], re(`[sr]k_live_${b62}{16,}`)],
  [
    'stripe-key',
    'Stripe key of the test mode',
    ['sk_test_', 'rk_test_'],
    re(`[sr]k_test_${b62}{16,}`),
    { severity: 'low' },
  ],
  ['stripe-webhook-secret', 'Stripe webhook secret', ['whsec_'], /whsec_[A-Za-z0-9+/]{32,}/],
  ['sendgrid-key', 'SendGrid API key', opened('SG.'), re(`SG\\.${b64u}{20,24}\\.${b64u}{39,50}`)],
  ['mailgun-key', 'Mailgun API key', ['key-'], /key-[0-9a-f]{32}/],
  [
    'mailchimp-key',
    'Mailchimp API key',
    ['-us1', '-us2', '-us3', '-us4', '-us5', '-us6', '-us7', '-us8', '-us9'],
    /[0-9a-f]{32}-us\d{1,2}/,
  ],
  ['twilio-key', 'Twilio API key', ['twilio'], /SK[0-9a-f]{32}/],
  ['digitalocean-token', 'DigitalOcean token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], /do[por]_v1_[0-9a-f]{64}/],
  ['openai-key', 'OpenAI API key', ['T3BlbkFJ'], re(`sk-${b64u}{20,120}T3BlbkFJ${b64u}{20,120}`)],
  ['openai-key', 'OpenAI API key', ['sk-proj-', 'sk-svcacct-'], re(`sk-(?:proj|svcacct)-${b64u}{40,}`)],
  ['anthropic-key', 'Anthropic API key', ['sk-ant-'], re(`sk-ant-${b64u}{60,}`)],
  ['huggingface-token', 'Hugging Face token', opened('hf_'), re(`hf_${b62}{34}`)],
  ['databricks-token', 'Databricks token', ['dapi'], /dapi[0-9a-f]{32}(?:-\d)?/],
  ['shopify-token', 'Shopify token', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], /shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/],
  ['square-token', 'Square token', ['sq0atp-', 'sq0csp-'], re(`sq0(?:atp|csp)-${b64u}{22,43}`)],
  [
    'telegram-token',
    'Telegram bot token',
    Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', next => `:AA${next}`),
    re(`[0-9]{8,10}:AA${b64u}{33}`),
  ],
  [
    'discord-webhook',
    'Discord webhook',
    ['/api/webhooks/'],
    re(`discord(?:app)?\\.com/api/webhooks/[0-9]{15,20}/${b64u}{60,}`),
  ],
  ['vault-token', 'Vault token', ['hvs.', 'hvb.'], re(`hv[sb]\\.${b64u}{24,}`)],
  ['terraform-token', 'Terraform Cloud token', ['.atlasv1.'], re(`${b62}{14}\\.atlasv1\\.${b64u}{60,}`)],
  [
    'grafana-token',
    'Grafana token',
    ['glsa_', 'glc_'],
    re(`(?:glsa_${b62}{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,})`),
  ],
  ['newrelic-key', 'New Relic key', ['NRAK-'], /NRAK-[A-Z0-9]{27}/],
  ['sentry-token', 'Sentry token', ['sntrys_', 'sntryu_'], /sntry[su]_[A-Za-z0-9+/=_-]{40,}/],
  ['linear-key', 'Linear API key', ['lin_api_'], re(`lin_api_${b62}{40}`)],
  ['notion-token', 'Notion token', ['ntn_'], re(`ntn_${b62}{40,}`)],
  [
    'planetscale-token',
    'PlanetScale token',
    ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'],
    re(`pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}`),
  ],
  ['postman-key', 'Postman API key', ['PMAK-'], /PMAK-[0-9a-f]{24}-[0-9a-f]{34}/],
  ['pulumi-token', 'Pulumi token', ['pul-'], /pul-[0-9a-f]{40}/],
  ['doppler-token', 'Doppler token', ['dp.pt.', 'dp.st.'], re(`dp\\.[ps]t\\.(?:[a-z0-9_-]+\\.)?${b62}{40,44}`)],
  ['heroku-key', 'Heroku API key', ['HRKU-'], re(`HRKU-${b64u}{36,}`)],
  ['atlassian-token', 'Atlassian token', ['ATATT3', 'ATCTT3'], /AT[AC]TT3[A-Za-z0-9_=-]{60,}/],
  ['artifactory-token', 'Artifactory API key', ['AKCp'], re(`AKCp${b62}{69}`)],
  ['age-key', 'age secret key', ['AGE-SECRET-KEY-1'], /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/],
  ['alibaba-key', 'Alibaba access key id', ['LTAI'], re(`LTAI${b62}{20}`), { severity: 'medium' }],
  ['supabase-token', 'Supabase token', ['sbp_'], /sbp_[0-9a-f]{40}/],
  ['onepassword-token', '1Password service account token', ['ops_eyJ'], re(`ops_eyJ${b64u}{200,}={0,2}`)],
  ['dynatrace-token', 'Dynatrace token', ['dt0c01.', 'dt0s01.'], /dt0[cs]01\.[A-Z2-7]{24}\.[A-Z2-7]{64}/],
  ['buildkite-token', 'Buildkite token', ['bkua_'], /bkua_[0-9a-f]{40}/],
  ['fly-token', 'Fly.io token', ['fm2_', 'FlyV1 '], /(?:FlyV1 )?fm2_[A-Za-z0-9+/]{60,}={0,2}/],
  ['render-key', 'Render API key', ['rnd_'], re(`rnd_${b62}{28,}`)],
  ['groq-key', 'Groq API key', ['gsk_'], re(`gsk_${b62}{52}`)],
  ['replicate-token', 'Replicate token', opened('r8_'), re(`r8_${b62}{37}`)],
  ['flutterwave-key', 'Flutterwave secret key', ['FLWSECK-', 'FLWSECK_'], /FLWSECK[-_](?:TEST-)?[0-9a-zA-Z]{32}-X/],
]

function re(source: string): RegExp {
  return new RegExp(source)
}

/** Tokens with a form of their own, as rules. */
export const tokenRules: readonly Rule[] = [...rows, ...moreTokens].map(
  ([id, title, anchors, value, options]): Rule => ({
    id,
    title,
    severity: options?.severity ?? 'high',
    anchors,
    fixed: true,
    pattern: new RegExp(`(?<![A-Za-z0-9_])(?<value>${value.source})(?![A-Za-z0-9_])`, 'dg'),
    prefix: /^(?:[A-Za-z0-9]+[-_.]|AKIA|ASIA|AIza)(?:(?:live|test|pat|v1|tkn|api|ant|proj)[-_])?/,
    judge: ({ value: text }: Match): boolean =>
      entropyOf(text) >= (options?.entropy ?? 3) && !isExampleToken(text.slice(options?.start ?? 0)),
  }),
)
