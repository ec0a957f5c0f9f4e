/*
 * office.h - `inkanctl office | automation`: what officers and responsible persons
 *            do, as documents signed with their own PKCS#11 keys (design 6).
 *
 * Depends on: act/document, pki/cms, edge/{book,hsm,ipc}.  Touches: HOME/run/office,
 * HOME/books for reading, the person's token.
 *
 *   inkanctl office list
 *   inkanctl office decide DOSSIER accept|refuse --reason TEXT [--name NAME --address ADDRESS]
 *   inkanctl office revoke SERIAL --grounds TEXT [--reason keyCompromise|…]
 *   inkanctl office keep SERIAL --grounds TEXT
 *   inkanctl office extend DOSSIER --until TIME --reason TEXT
 *   inkanctl office letter DOSSIER revocation|reminder|notice --how TEXT [--from TIME]
 *   inkanctl office note accident|network --reason TEXT [--from TIME]
 *   inkanctl office permit LABEL granted|withdrawn DUTY --number N --from TIME --until TIME
 *   inkanctl office approve FILE --from TIME --until TIME
 *   inkanctl automation stop|resume --reason TEXT
 *   inkanctl automation status
 *
 * Whose key: section [office] of inkan.conf (person, module, environment, key,
 * pin_file), each of which an option replaces.  The document is shown whole before
 * it is signed, and signed only after a deliberate word, or with --yes.
 */
#ifndef CMD_INKANCTL_OFFICE_H
#define CMD_INKANCTL_OFFICE_H

/* Arguments after the command's name.  Exit code: 0 done, 1 refused, 2 usage, 3 could not. */
int office_main(int argc, char **argv);
int automation_main(int argc, char **argv);

#endif
