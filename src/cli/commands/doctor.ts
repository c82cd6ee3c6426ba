import { addExamples, type Declare } from '../command-entry.ts'
import { formatOption, type ListFormat } from '../options/list-format.ts'

export interface DoctorFlags {
  readonly format: ListFormat
}

/** Options of `slipway doctor`. */
export const doctor: Declare = (command, act) => {
  command.addOption(formatOption('table, or json: one object a check')).action(
    act(async (context, flags: DoctorFlags) => {
      const { doctorCommand } = await import('../actions/doctor-command.ts')
      return doctorCommand(flags, context)
    }),
  )
  addExamples(command, [{ command: 'slipway doctor', does: 'what works here, what is missing, what to do about it' }])
}
