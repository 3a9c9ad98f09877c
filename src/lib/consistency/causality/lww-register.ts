import {byBytes} from './bytes.ts';

/** When something was written, and where: `time` in any unit that is the same for all, such as a hybrid logical clock. */
export type Stamp = {readonly time: bigint; readonly region: string};

/** Less than 0 = `a` is the older. Of the same time the region that is greater by bytes is the later one, so that all choose alike. */
export const compareStamps = (a: Stamp, b: Stamp): number => (a.time === b.time ? byBytes(a.region, b.region) : a.time < b.time ? -1 : 1);

/**
 * A register in which the last writer wins. Two writes must not have the same stamp; a hybrid logical clock per region sees to that.
 *
 * Sources: P. Johnson, R. Thomas, The Maintenance of Duplicate Databases, RFC 677, 1975; M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski, A
 * comprehensive study of Convergent and Commutative Replicated Data Types, INRIA RR-7506, 2011, specification 8.
 */
export type LwwRegister<T> = {readonly value: T; readonly stamp: Stamp};

/** The later of the two. */
export const mergeLww = <T>(a: LwwRegister<T>, b: LwwRegister<T>): LwwRegister<T> => (compareStamps(a.stamp, b.stamp) < 0 ? b : a);
