// Generated from the agent's description of its routes by `make docs`: do not edit.

export interface Accepted {
  stores: number;
}

export interface AcceptedAnswer {
  content: Accepted;
}

export interface Answer {
  content: Result[];
}

export interface Change {
  cut: boolean;
  diff: string;
  error: string;
  generation: number;
  key: string;
  revision: string;
  state: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
  steps: Step[];
  store: string;
  was: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
}

export interface ChangeEntry {
  cut: boolean;
  diff: string;
  error: string;
  generation: number;
  id: number;
  key: string;
  revision: string;
  state: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
  steps: Step[];
  store: string;
  time: string;
  was: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
}

export interface ChangeList {
  changes: ChangeEntry[];
  complete: boolean;
  last: number;
}

export interface ChangeListAnswer {
  content: ChangeList;
}

export interface DebugAnswer {
  benchmark: string;
  cost: string;
  pl_errors: ScriptError[];
  plresults: DebugResult[];
}

export interface DebugAnswerAnswer {
  content: DebugAnswer;
}

export interface DebugPoint {
  category?: string;
  fields: Record<string, unknown>;
  name: string;
  tags: Record<string, string>;
  time: number;
  time_ns: number;
}

export interface DebugRequest {
  benchmark?: boolean;
  category: string;
  data: string[];
  data_type?: string;
  encode?: string;
  pipeline: Record<string, Record<string, string>>;
  script_name: string;
}

export interface DebugResult {
  created?: DebugPoint[];
  dropped: boolean;
  point: DebugPoint | null;
  run_error: ScriptError | null;
}

export interface Entry {
  change?: Change | null;
  generation?: number;
  id: number;
  kind: string;
  store?: StoreState | null;
  time: string;
  unit?: UnitState | null;
}

export interface Failure {
  error_code: string;
  errors?: Problem[];
  message: string;
  written?: number | null;
}

export interface FieldDescription {
  allowed?: string[];
  default?: string;
  doc: string;
  doc_zh: string;
  example?: string;
  fields?: FieldDescription[];
  live?: boolean;
  max?: string;
  min?: string;
  name: string;
  required?: boolean;
  secret?: boolean;
  type: string;
  unit?: string;
}

export interface FuncDescription {
  doc: string;
  doc_zh: string;
  examples: string[];
  name: string;
  params: Parameter[];
  result?: string;
  signature: string;
}

export interface InputDescription {
  aliases?: string[];
  doc: string;
  doc_zh: string;
  fields: FieldDescription[];
  name: string;
  sample: string;
  singleton?: boolean;
}

export interface Key {
  error: string;
  key: string;
  revision: string;
  state: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
  store: string;
}

export interface KeyDeleted {
  key: string;
  store: string;
}

export interface KeyDeletedAnswer {
  content: KeyDeleted;
}

export interface KeyEntry {
  error: string;
  key: string;
  revision: string;
  size: number;
  state: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
}

export interface KeyProblem {
  column: number;
  key: string;
  line: number;
  message: string;
}

export interface KeyRunning {
  revision: string;
  value: string;
}

export interface KeyTree {
  backend: string;
  cut: boolean;
  id: string;
  keys: KeyEntry[];
  root: string;
  state: "connecting" | "watching" | "polling" | "stale" | "held" | "denied" | "disabled";
  writable: boolean;
}

export interface KeyTrees {
  stores: KeyTree[];
}

export interface KeyTreesAnswer {
  content: KeyTrees;
}

export interface KeyValue {
  error: string;
  key: string;
  origin: string;
  problems: Problem[];
  redacted: boolean;
  revision: string;
  running: KeyRunning | null;
  size: number;
  state: "" | "applied" | "kept" | "rejected" | "duplicate" | "shadowed" | "singleton" | "empty" | "ignored" | "removed";
  store: string;
  value: string;
  writable: boolean;
}

export interface KeyValueAnswer {
  content: KeyValue;
}

export interface KeyWritten {
  key: string;
  revision: string;
  steps: TrialStep[];
  store: string;
}

export interface KeyWrittenAnswer {
  content: KeyWritten;
}

export interface LoginRequest {
  token: string;
}

export interface Output {
  dropped: number;
  last_error: string;
  name: string;
  queue_bytes: number;
  queue_points: number;
  retries: number;
  written: number;
}

export interface Parameter {
  name: string;
  named?: boolean;
  optional?: boolean;
  rest?: boolean;
  types: string;
}

export interface PlanAnswer {
  keys: Key[];
  problems: KeyProblem[];
  steps: TrialStep[];
}

export interface PlanEntry {
  deleted?: boolean;
  key: string;
  value: string;
}

export interface PlanRequest {
  entries: PlanEntry[];
  source?: string;
}

export interface Pong {
  host: string;
  uptime: string;
  version: string;
}

export interface PongAnswer {
  content: Pong;
}

export interface Problem {
  column: number;
  line: number;
  message: string;
}

export interface QueryItem {
  conditions?: string;
  limit?: number | null;
  max_duration?: string;
  max_point?: number;
  offset?: number | null;
  orderby?: Record<string, string>[];
  qtype?: string;
  query: unknown;
  slimit?: number | null;
  soffset?: number | null;
  time_range?: number[];
}

export interface QueryRequest {
  conditions?: string;
  limit?: number | null;
  max_duration?: string;
  max_point?: number;
  offset?: number | null;
  orderby?: Record<string, string>[];
  q?: string;
  queries?: QueryItem[];
  query?: string;
  slimit?: number | null;
  soffset?: number | null;
  time_range?: number[];
}

export interface Recent {
  bytes: number;
  max_bytes: number;
  measurements: number;
  points: number;
  refused: number;
  series: number;
}

export interface RecentNames {
  cut: boolean;
  enabled: boolean;
  names: Record<string, string[]>;
}

export interface RecentNamesAnswer {
  content: RecentNames;
}

export interface Reloaded {
  generation: number;
}

export interface ReloadedAnswer {
  content: Reloaded;
}

export interface Result {
  cost: string;
  raw_query: string;
  series: Series[];
}

export interface Script {
  category: string;
  drops: number;
  error: string;
  errors: number;
  name: string;
  namespace: string;
  ns: number;
  origin: string;
  runs: number;
  state: string;
}

export interface ScriptError {
  error: string;
  pos_chain: ScriptPosition[];
}

export interface ScriptPosition {
  col: number;
  file: string;
  ln: number;
  pos: number;
}

export interface Series {
  columns: string[];
  name?: string;
  tags?: Record<string, string>;
  values: unknown[][];
}

export interface Specification {
  categories: string[];
  functions: FuncDescription[];
  inputs: InputDescription[];
  patterns: string[];
}

export interface SpecificationAnswer {
  content: Specification;
}

export interface StateList {
  states: Entry[];
}

export interface StateListAnswer {
  content: StateList;
}

export interface Status {
  converged: boolean;
  errors: string[];
  generation: number;
  hostname: string;
  keys: Key[];
  outputs: Output[];
  recent?: Recent | null;
  scripts: Script[];
  started_at: string;
  stores: Store[];
  units: Unit[];
  version: string;
}

export interface Step {
  error: string;
  ns: number;
  unit: string;
  verb: string;
}

export interface Store {
  backend: string;
  error: string;
  keys: number;
  nodes: string[];
  read_at: string;
  revision: string;
  state: "connecting" | "watching" | "polling" | "stale" | "held" | "denied" | "disabled";
}

export interface StoreState {
  error: string;
  id: string;
  state: "connecting" | "watching" | "polling" | "stale" | "held" | "denied" | "disabled";
}

export interface StreamEnd {
  reason: string;
}

export interface StreamStart {
  complete: boolean;
  last: number;
}

export interface Tick {
  dropped: number;
  errors: number;
  gathers: number;
  outputs: Output[];
  points: number;
  queue_points: number;
  recent: Recent | null;
  stores: TickStore[];
  time: string;
  units: TickUnit[];
  written: number;
}

export interface TickStore {
  id: string;
  read_at: string;
  root: string;
}

export interface TickUnit {
  errors: number;
  gathers: number;
  id: string;
  last_gather: string;
  missed: number;
  next_gather: string;
  points: number;
}

export interface TrialStep {
  error?: string;
  kind: string;
  origin: string;
  unit: string;
  verb: "stop" | "restart" | "update" | "start" | "keep";
}

export interface TryAnswer {
  cost: string;
  problems: TryProblem[];
  results: TryResult[];
}

export interface TryAnswerAnswer {
  content: TryAnswer;
}

export interface TryProblem {
  column: number;
  file: string;
  line: number;
  message: string;
}

export interface TryRequest {
  category: string;
  limit?: number;
  name: string;
  recent?: string;
  sample?: string;
  script: string;
}

export interface TryResult {
  after: DebugPoint;
  before: DebugPoint;
  created: DebugPoint[];
  dropped: boolean;
  error: TryProblem | null;
}

export interface Unit {
  errors: number;
  gathers: number;
  id: string;
  kind: string;
  last_error: string;
  last_gather: string;
  missed: number;
  next_gather: string;
  origin: string;
  points: number;
  since: string;
  starts: number;
  state: "starting" | "running" | "failed" | "stopping";
  updates: number;
}

export interface UnitState {
  error: string;
  id: string;
  kind: string;
  state: "starting" | "running" | "failed" | "stopping";
}

export interface ValidateRequest {
  key: string;
  value: string;
}

export interface Validated {
  problems: Problem[];
}

export interface ValidatedAnswer {
  content: Validated;
}

export interface Visit {
  admitted: boolean;
  locked: boolean;
  logged_in: boolean;
  write: boolean;
}

export interface VisitAnswer {
  content: Visit;
}

export interface Written {
  written: number;
}

export interface WrittenAnswer {
  content: Written;
}

/** What each route takes and answers. */
export interface Calls {
  /** The same for Prometheus. */
  "GET /metrics": { body: never; answer: string };
  /** The last changes of keys: what became of them, their difference without secrets, and what that restarted. */
  "GET /v1/changes": { body: never; answer: ChangeListAnswer };
  /** Apply the mass deletions that are held. */
  "POST /v1/confd/accept": { body: never; answer: AcceptedAnswer };
  /** Say what a change or a deletion of keys would do, and change nothing. */
  "POST /v1/confd/plan": { body: PlanRequest; answer: PlanAnswer };
  /** Say what an agent would refuse in one value; nothing is started. */
  "POST /v1/confd/validate": { body: ValidateRequest; answer: ValidatedAnswer };
  /** Whether the caller is let in to the console, and what it may do. */
  "GET /v1/console": { body: never; answer: VisitAnswer };
  /** Log in with the token; the answer sets a cookie. */
  "POST /v1/console/login": { body: LoginRequest; answer: VisitAnswer };
  /** Log out. */
  "POST /v1/console/logout": { body: never; answer: VisitAnswer };
  /** Changes, generations and states of units and stores as they come: server-sent events. */
  "GET /v1/events": { body: never; answer: string };
  /** The keys of all stores, without their values. */
  "GET /v1/keys": { body: never; answer: KeyTreesAnswer };
  /** Delete a key, if it is what the change is based on. */
  "DELETE /v1/keys/{store}/{key}": { body: never; answer: KeyDeletedAnswer };
  /** One key with its state, its revision as the ETag. Secrets are hidden unless [console] write is on. */
  "GET /v1/keys/{store}/{key}": { body: never; answer: KeyValueAnswer };
  /** Write a key, if it is what the change is based on, and an agent would take the value. */
  "PUT /v1/keys/{store}/{key}": { body: string; answer: KeyWrittenAnswer };
  /** This description, as OpenAPI 3.1. */
  "GET /v1/openapi.json": { body: never; answer: Record<string, unknown> };
  /** Version, uptime and host: whether the agent is there. */
  "GET /v1/ping": { body: never; answer: PongAnswer };
  /** Run a script on sample data. */
  "POST /v1/pipeline/debug": { body: DebugRequest; answer: DebugAnswerAnswer };
  /** Run a script on the last points of a measurement or source, or on a sample: each before and after. Scripts of the stores can be used by it; nothing goes anywhere. */
  "POST /v1/pipeline/try": { body: TryRequest; answer: TryAnswerAnswer };
  /** Answer DQL from the recent points. */
  "POST /v1/query/raw": { body: QueryRequest; answer: Answer };
  /** The measurements and sources whose last points are kept, by category. */
  "GET /v1/recent": { body: never; answer: RecentNamesAnswer };
  /** Read `datakit.conf` and `conf.d` again. */
  "POST /v1/reload": { body: never; answer: ReloadedAnswer };
  /** The tables and fields of every input, the functions of scripts and the grok patterns: for editors. The ETag changes with the answer. */
  "GET /v1/specs": { body: never; answer: SpecificationAnswer };
  /** The last units and stores that went into another state. */
  "GET /v1/states": { body: never; answer: StateListAnswer };
  /** What runs, and what became of every store, key and script. */
  "GET /v1/status": { body: never; answer: Status };
  /** Take points as line protocol, and send them on as if they were collected. */
  "POST /v1/write/{category}": { body: string; answer: WrittenAnswer };
}

/** The data of each event. */
export interface Events {
  change: ChangeEntry;
  end: StreamEnd;
  generation: Entry;
  hello: StreamStart;
  store: Entry;
  tick: Tick;
  unit: Entry;
}
