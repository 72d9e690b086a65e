/** Where faketime keeps the library that gives a process, with all its threads, another wall clock. */
import { existsSync, readdirSync } from 'node:fs';

const NAME = 'faketime/libfaketimeMT.so.1';

/** Its path, or `undefined` where faketime is not installed. */
export function fakeTimeLibrary() {
  const folders = ['/usr/lib', '/usr/local/lib', '/usr/lib64'].filter(existsSync);
  // Debian keeps libraries in a folder for each architecture.
  const places = folders.flatMap((folder) => [
    folder,
    ...readdirSync(folder)
      .filter((name) => name.includes('-linux-'))
      .map((name) => `${folder}/${name}`),
  ]);
  return places.map((place) => `${place}/${NAME}`).find(existsSync);
}
