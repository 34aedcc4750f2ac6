/** Bytes in the path of a Unix socket: `sun_path` holds 108 on Linux, 104 on macOS and BSD, the closing NUL among them. */
export const maxSocketPathBytes = process.platform === "linux" ? 107 : 103;
