import { readFileSync } from 'node:fs'
import { decode, guessEncoding } from './logs/encoding.ts'

/** Text of a file that a person saved. Throws the system's error. */
export const readTypedText = (file: string): string => decodeTyped(readFileSync(file))

/** Notepad and PowerShell 5 leave UTF-8 with a mark, UTF-16, or the code page of Windows. */
export const decodeTyped = (bytes: Uint8Array): string => decode(bytes, guessEncoding(bytes).encoding)
