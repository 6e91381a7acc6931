extension CommandTable {
  /// Every command of `remit`, in the order in which its help lists them.
  static let remit = CommandTable(
    commands: DemoCommand.all + InitCommands.all + InboxCommand.all
      + ApprovalCommands.all + ApprovalNoteCommands.all + ApprovalBatchCommand.all + VigilanceCommands.all
      + RunCommands.all + EventCommands.all + StepCommands.all + WorkCommands.all + AgentCommands.all
      + ProcessCommands.all + PersonCommands.all
      + AuditCommands.all + StoreCommands.all + MineCommands.all + SuggestionCommands.all + EvalCommands.all + EvalSuiteCommands.all
      + PolicyCommands.all + ProcessDiffCommand.all + AllowanceCommands.all + ServeCommand.all + DoctorCommand.all + StopCommands.all
      + ClockCommands.all + GuardCommands.all + LabelCommands.all + ScheduleCommands.all + ToolCommands.all)
}
