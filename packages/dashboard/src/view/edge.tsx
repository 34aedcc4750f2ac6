import type { ClusterStatus } from "../api/types.ts";
import { bytes, count, duration } from "../figures/format.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { Mark } from "./mark.tsx";

interface ListenerRow {
  readonly url: string;
  readonly counts: ClusterStatus["traffic"]["listeners"][number];
}

type Certificate = NonNullable<ClusterStatus["https"]>["certificates"][number];

/** Where clients come in, and what they are shown there. */
export function Edge({ status }: { readonly status: ClusterStatus }) {
  const rows = status.listeners.flatMap(({ url }, index): ListenerRow[] => {
    const counts = status.traffic.listeners[index];
    return counts === undefined ? [] : [{ url, counts }];
  });
  const certificates = status.https?.certificates ?? [];
  return (
    <>
      <section aria-labelledby="listeners">
        <div class="section-head">
          <h2 id="listeners">Listeners</h2>
        </div>
        <DataTable
          label="Listeners"
          columns={listenerColumns(rows)}
          rows={rows}
          keyOf={({ url }) => url}
          empty="It listens nowhere yet."
        />
      </section>
      {certificates.length > 0 && (
        <section aria-labelledby="certificates">
          <div class="section-head">
            <h2 id="certificates">Certificates</h2>
          </div>
          <DataTable
            label="Certificates"
            columns={certificateColumns}
            rows={certificates}
            keyOf={({ names, expiresAt }) => `${names.join()} ${expiresAt}`}
            empty=""
          />
        </section>
      )}
    </>
  );
}

function total(counts: Readonly<Record<string, number | undefined>>): number {
  return Object.values(counts).reduce<number>((sum, one) => sum + (one ?? 0), 0);
}

const listenerColumnsAlways: readonly Column<ListenerRow>[] = [
  { id: "url", title: "Listener", by: ({ url }) => url, cell: ({ url }) => <span class="name">{url}</span> },
  {
    id: "open",
    title: "Open",
    numeric: true,
    by: ({ counts }) => counts.open,
    cell: ({ counts }) => count(counts.open),
  },
  {
    id: "accepted",
    title: "Accepted",
    numeric: true,
    by: ({ counts }) => counts.accepted,
    cell: ({ counts }) => count(counts.accepted),
  },
  {
    id: "refused",
    title: "Refused",
    hint: "By limits, for want of descriptors, and of addresses that are kept out",
    numeric: true,
    by: ({ counts }) => total(counts.refused),
    cell: ({ counts }) => count(total(counts.refused)),
  },
  {
    id: "bad",
    title: "No request",
    hint: "What came in place of requests and is none",
    numeric: true,
    by: ({ counts }) => counts.badHeads,
    cell: ({ counts }) => count(counts.badHeads),
  },
  {
    id: "in",
    title: "Received",
    numeric: true,
    by: ({ counts }) => counts.bytesIn,
    cell: ({ counts }) => bytes(counts.bytesIn),
  },
  {
    id: "out",
    title: "Sent",
    numeric: true,
    by: ({ counts }) => counts.bytesOut,
    cell: ({ counts }) => bytes(counts.bytesOut),
  },
];

const handshakeColumns: readonly Column<ListenerRow>[] = [
  {
    id: "handshakes",
    title: "Handshakes",
    hint: "Of TLS: full ones, and those that went on with an earlier session",
    numeric: true,
    cell: ({ counts: { handshakes } }) => `${count(handshakes.full)} + ${count(handshakes.resumed)}`,
  },
  {
    id: "failed",
    title: "Failed",
    hint: "Handshakes that failed",
    numeric: true,
    cell: ({ counts: { handshakes } }) => count(total(handshakes.failed)),
  },
];

function listenerColumns(rows: readonly ListenerRow[]): readonly Column<ListenerRow>[] {
  const tls = rows.some(({ url }) => url.startsWith("https:"));
  return tls ? [...listenerColumnsAlways, ...handshakeColumns] : listenerColumnsAlways;
}

const soonMs = 7 * 86_400_000;

const certificateColumns: readonly Column<Certificate>[] = [
  { id: "names", title: "For", cell: ({ names }) => <span class="name">{names.join(", ")}</span> },
  { id: "state", title: "State", cell: (certificate) => <CertificateState {...certificate} /> },
  { id: "issuer", title: "Signed by", cell: ({ issuer }) => issuer },
  { id: "until", title: "Until", numeric: true, cell: ({ expiresAt }) => expiresAt.slice(0, 10) },
];

function CertificateState({ expiresAt, problem }: Certificate) {
  const left = Date.parse(expiresAt) - Date.now();
  if (left <= 0) return <Mark tone="bad">expired</Mark>;
  if (problem !== null) return <Mark tone="bad">{problem}</Mark>;
  return <Mark tone={left < soonMs ? "busy" : "good"}>{duration(left)} left</Mark>;
}
