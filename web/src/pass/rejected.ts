/** Why something that was read is not accepted: `code` is what a log and a test can hold on to. */
export class Rejected extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}
