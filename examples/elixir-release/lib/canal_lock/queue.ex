defmodule CanalLock.Queue do
  @moduledoc "The boats that wait in front of the lock, in the order in which they came."
  use GenServer

  def start_link(_), do: GenServer.start_link(__MODULE__, [], name: __MODULE__)

  @doc "Puts a boat at the end."
  def arrive(boat), do: GenServer.call(__MODULE__, {:arrive, boat})

  @doc "All boats, the first one first."
  def boats, do: GenServer.call(__MODULE__, :boats)

  @doc "Lets the first boat through: `{:ok, boat}` or `:empty`."
  def lift, do: GenServer.call(__MODULE__, :lift)

  @doc "Ends the process as a mistake in it would."
  def crash, do: GenServer.cast(__MODULE__, :crash)

  @impl true
  def init(boats), do: {:ok, boats}

  @impl true
  def handle_call({:arrive, boat}, _from, boats), do: {:reply, :ok, boats ++ [boat]}
  def handle_call(:boats, _from, boats), do: {:reply, boats, boats}
  def handle_call(:lift, _from, []), do: {:reply, :empty, []}
  def handle_call(:lift, _from, [first | rest]), do: {:reply, {:ok, first}, rest}

  @impl true
  def handle_cast(:crash, _boats), do: raise("the gate is stuck")
end
