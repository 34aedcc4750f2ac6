/** Something that has frames to write. */
export interface Flushed {
  flush(): void;
}

/** Those whose frames wait for the end of this turn, when every socket that was readable has been read. */
let due: Flushed[] = [];

/** Has `flush` called when this turn ends: what several endpoints and several streams have to say leaves in one write. */
export function flushAtTurnEnd(connection: Flushed): void {
  if (due.length === 0) setImmediate(endTurn);
  due.push(connection);
}

function endTurn(): void {
  const connections = due;
  due = [];
  for (const connection of connections) connection.flush();
}
