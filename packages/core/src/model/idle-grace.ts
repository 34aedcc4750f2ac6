/**
 * How long a connection that is idle when its end is due may still bring a request, in milliseconds. Closed at once it is
 * now and then closed in the moment in which a request sets out, and the client cannot know whether that was acted on
 * (RFC 9112 §9.6); after a second of silence that moment is rare. The answer says that it is the last.
 */
export const idleGraceMs = 1_000;
