defmodule CanalLock.MixProject do
  use Mix.Project

  def project do
    [
      app: :canal_lock,
      version: "1.0.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      # Nothing from Hex: the web server is Erlang's own.
      deps: [],
      releases: [
        canal_lock: [
          include_executables_for: [],
          include_erts: true
        ]
      ]
    ]
  end

  def application do
    [mod: {CanalLock.Application, []}, extra_applications: [:inets, :logger]]
  end
end
