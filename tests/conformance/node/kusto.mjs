// Reads tables and queries in KQL as JSON from standard input, puts each query to Microsoft's own parser and binder,
// @kusto/language-service-next, and writes in order what each is: {errors: [text], columns: {name: type}}.
//
// A question: {tables: {name: {column: type}}, queries: [text]}.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import vm from 'node:vm'

const entry = createRequire(import.meta.url).resolve('@kusto/language-service-next')
for (const name of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  vm.runInThisContext(readFileSync(new URL(name, `file://${entry}`), 'utf-8'), name)
}
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language

function list(found) {
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index))
}

function schema(columns) {
  return `(${Object.entries(columns).map(([name, type]) => `${name}: ${type}`).join(', ')})`
}

const { tables, queries } = JSON.parse(readFileSync(0, 'utf-8'))
const symbols = Object.entries(tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, schema(columns), null))
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols))

const answers = queries.map((query) => {
  const code = KustoCode.ParseAndAnalyze(query, globals)
  const columns = code.ResultType?.Columns ? list(code.ResultType.Columns) : []
  return {
    errors: list(code.GetDiagnostics()).map((found) => `${found.Severity}: ${found.Message}`),
    columns: Object.fromEntries(columns.map((column) => [column.Name, column.Type.Name])),
  }
})
process.stdout.write(JSON.stringify(answers))
