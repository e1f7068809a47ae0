import type { Output } from "../../api/types";
import { bytes, number } from "../../ui/format";
import { Table } from "../../ui/table";
import { words } from "../../words";

/** OutputTable shows where the points go. */
export function OutputTable({ outputs }: { outputs: readonly Output[] }) {
  const w = words.value.overview;
  return (
    <Table
      label={w.outputsHead}
      rows={outputs}
      id={(o) => o.name}
      empty={<p>{words.value.shell.none}</p>}
      columns={[
        { id: "name", head: w.output, name: true, cell: (o) => o.name },
        {
          id: "queue",
          head: w.queue,
          right: true,
          cell: (o) => `${number(o.queue_points)} · ${bytes(o.queue_bytes)}`,
        },
        { id: "written", head: w.written, right: true, cell: (o) => number(o.written) },
        { id: "dropped", head: w.dropped, right: true, cell: (o) => number(o.dropped) },
        { id: "retries", head: w.retries, right: true, cell: (o) => number(o.retries) },
        {
          id: "error",
          head: w.lastError,
          optional: (o) => o.last_error === "",
          cell: (o) => <span class="error">{o.last_error}</span>,
        },
      ]}
    />
  );
}
