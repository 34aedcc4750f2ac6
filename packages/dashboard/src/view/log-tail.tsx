import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api/ask.ts";
import { repeat } from "../api/repeat.ts";
import type { ClusterStatus, OutputLine } from "../api/types.ts";
import type { Clock } from "../clock.ts";
import { count, plainLine } from "../figures/format.ts";

export interface LogTailProps {
  readonly clock: Clock;
  readonly status: ClusterStatus;
}

type Tail =
  | { readonly kind: "waiting" }
  | { readonly kind: "lines"; readonly lines: readonly OutputLine[] }
  | { readonly kind: "none"; readonly why: string };

const everyMs = 2_000;
const askedFor = 500;

/** What the instances wrote last. */
export function LogTail({ clock, status }: LogTailProps) {
  const [whose, setWhose] = useState("");
  const [text, setText] = useState("");
  const [tail, setTail] = useState<Tail>({ kind: "waiting" });
  const [follows, setFollows] = useState(true);
  const box = useRef<HTMLElement>(null);

  useEffect(() => {
    const ended = { value: false };
    const end = repeat(
      clock,
      () => everyMs,
      async () => {
        const next = await lastLines(whose);
        if (!ended.value && next !== undefined) setTail(next);
      },
    );
    return () => {
      ended.value = true;
      end();
    };
  }, [whose]);

  const lines = tail.kind === "lines" ? matching(tail.lines, text) : [];
  useLayoutEffect(() => {
    const element = box.current;
    if (follows && element !== null) element.scrollTop = element.scrollHeight;
  }, [tail, text, follows]);
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    setFollows(scrollHeight - scrollTop - clientHeight < 24);
  };

  return (
    <section aria-labelledby="logs" class="logs">
      <div class="section-head">
        <h2 id="logs">Output</h2>
        {tail.kind !== "none" && (
          <form class="filters" onSubmit={(event) => event.preventDefault()}>
            <label>
              Instance
              <select value={whose} onChange={({ currentTarget }) => setWhose(currentTarget.value)}>
                <option value="">all</option>
                {writers(status).map(({ value, name }) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Text
              <input
                type="search"
                value={text}
                placeholder="part of the line"
                onInput={({ currentTarget }) => setText(currentTarget.value)}
              />
            </label>
            <button type="button" class="quiet" aria-pressed={follows} onClick={() => setFollows(!follows)}>
              {follows ? "Following" : "Follow"}
            </button>
          </form>
        )}
      </div>
      {tail.kind === "none" ? (
        <p class="aside">{tail.why}</p>
      ) : (
        <section
          class="lines"
          ref={box}
          onScroll={scrolled}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
          tabIndex={0}
          aria-label="Lines of output"
        >
          {lines.length === 0 && (
            <p class="empty">
              {tail.kind === "waiting" ? "Asking …" : text === "" ? "Nothing was written yet." : "No line has that."}
            </p>
          )}
          {lines.map((line, index) => (
            <p key={index} class={`line ${line.stream}`}>
              <span class="writer">{writerOf(line)}</span>
              <span class="stream">{line.stream === "stderr" ? "err" : ""}</span>
              <span class="text">{plainLine(line.text)}</span>
            </p>
          ))}
        </section>
      )}
      {tail.kind === "lines" && (
        <p class="aside">
          {count(lines.length)} of the last {count(tail.lines.length)} lines
        </p>
      )}
    </section>
  );
}

const notKept =
  "What the instances write goes to where the cluster writes, and is not kept here. Started with `lb start`, or with a function as the option `output`, it is.";

/** Undefined: nobody answers, which is said elsewhere. */
async function lastLines(whose: string): Promise<Tail | undefined> {
  try {
    const { lines } = await ask<{ lines: readonly OutputLine[] }>(`/api/logs?lines=${askedFor}${whose}`);
    return { kind: "lines", lines };
  } catch (error) {
    return (error as { status?: number }).status === 404 ? { kind: "none", why: notKept } : undefined;
  }
}

interface Writer {
  /** What is asked for, of the query. */
  readonly value: string;
  readonly name: string;
}

function writers({ instances, backends }: ClusterStatus): readonly Writer[] {
  return [
    ...instances.map(({ id }) => ({ value: `&backend=app&instance=${id}`, name: String(id) })),
    ...backends.flatMap(({ name, instances: programs }) =>
      programs.map(({ id }) => ({
        value: `&backend=${encodeURIComponent(name)}&instance=${id}`,
        name: `${name} ${id}`,
      })),
    ),
  ];
}

function writerOf({ backend, instance }: OutputLine): string {
  return backend === undefined ? String(instance) : `${backend} ${instance}`;
}

function matching(lines: readonly OutputLine[], text: string): readonly OutputLine[] {
  const wanted = text.trim().toLowerCase();
  return wanted === "" ? lines : lines.filter((line) => line.text.toLowerCase().includes(wanted));
}
