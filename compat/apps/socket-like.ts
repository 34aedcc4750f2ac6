/** What the conversations use of a Socket.IO client. */
export interface SocketLike {
  on(event: string, listener: (argument: unknown) => void): void;
  emit(event: string, ...args: unknown[]): void;
  close(): void;
}
