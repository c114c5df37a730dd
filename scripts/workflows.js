'use strict'

// `npm run lint:workflows`: actionlint over .github/workflows, and what we ask of them besides: actions by their commit,
// no rights but those that a job names, no registry.

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('./lib/problem')
const { run } = require('./lib/run')
const { findCommand, toolProblem } = require('./lib/tools')
const { Lack, command, root, tools } = require('./sanitizers/common')

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint'
const VERSION = 'v1.7.12'
const DIRECTORY = path.join(root, '.github', 'workflows')

/** Where actionlint is, built from its module where it is not there yet. */
async function actionlint() {
  const bin = path.join(tools, `actionlint-${VERSION}`)
  const program = path.join(bin, 'actionlint')
  if (fs.existsSync(program)) return program
  if (!findCommand('go', process.env)) throw new Lack('There is no go to build actionlint with.')
  console.log(`building actionlint ${VERSION}…`)
  const result = await run('go', ['install', `${ACTIONLINT}@${VERSION}`], {
    env: { ...process.env, GOBIN: bin, GOFLAGS: '-modcacherw' },
  })
  if (result.code !== 0) throw new Lack('actionlint could not be built.', result.all.trim())
  return program
}

/** What actionlint says nothing of. */
function problemsIn(name, text) {
  const problems = []
  for (const [, action] of text.matchAll(/uses:\s*(\S+)/g)) {
    if (!action.startsWith('./') && !/@[0-9a-f]{40}$/.test(action))
      problems.push(`${name}: ${action} is not pinned by its commit`)
  }
  if (!/^permissions: \{\}$/m.test(text)) problems.push(`${name}: no "permissions: {}" at the top`)
  if (/registry-url/.test(text)) problems.push(`${name}: names a registry`)
  return problems
}

async function main() {
  const names = fs.readdirSync(DIRECTORY).filter((name) => name.endsWith('.yml'))
  const problems = names.flatMap((name) =>
    problemsIn(name, fs.readFileSync(path.join(DIRECTORY, name), 'utf8')),
  )
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) throw new Problem('The workflows are not as they should be.')
  const files = names.map((name) => path.join(DIRECTORY, name))
  const result = await run(await actionlint(), ['-no-color', ...files], { cwd: root })
  if (result.code !== 0) throw toolProblem('actionlint', result)
  console.log(`workflows: ${names.length}, all as they should be`)
}

command('workflows', main)
