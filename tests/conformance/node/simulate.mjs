// Reads questions as JSON from standard input, puts each to @cloud-copilot/iam-simulate, and writes the answers in order.
//
// A question: {principal, action, resource, account, context, identity: [policy], resource_policy: policy | null}.
// An answer: {allowed: true | false}, or {error: why the question makes no sense}.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

async function answer(question) {
  const found = await runSimulation({
    request: {
      principal: question.principal,
      action: question.action,
      resource: { resource: question.resource, accountId: question.account },
      contextVariables: question.context,
    },
    identityPolicies: question.identity.map((policy, number) => ({ name: `policy ${number}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: question.resource_policy ?? undefined,
  }, {})
  return found.resultType === 'error' ? { error: JSON.stringify(found.errors) } : { allowed: found.overallResult === 'Allowed' }
}

const answers = []
for (const question of JSON.parse(readFileSync(0, 'utf-8'))) answers.push(await answer(question))
process.stdout.write(JSON.stringify(answers))
