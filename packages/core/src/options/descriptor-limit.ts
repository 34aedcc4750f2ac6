import process from "node:process";

/** Where the system does not tell: the soft limit that Linux distributions commonly set. */
const commonLimit = 1_024;

/** File descriptors that this process may open; `Infinity` if there is no limit. */
export function descriptorLimit(): number {
  const { report } = process;
  const { excludeNetwork } = report as { excludeNetwork?: boolean };
  // Looking up the names of open connections can take seconds, and is of no interest here.
  Object.assign(report, { excludeNetwork: true });
  try {
    const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | "unlimited" } } };
    const soft = userLimits?.open_files?.soft;
    return soft === "unlimited" ? Number.POSITIVE_INFINITY : (soft ?? commonLimit);
  } finally {
    Object.assign(report, { excludeNetwork });
  }
}
